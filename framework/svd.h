// Singular value decomposition of a dense matrix, in double.
//
// One-sided Jacobi (Hestenes 1958; Golub & Van Loan, "Matrix computations", section 8.6.3): columns
// are rotated in pairs until all are orthogonal. One thread and a fixed order of rotations: the
// result is a function of the matrix alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pare {

// a = sum_k values[k] * left[k] right[k]^T, k < min(rows, columns). Vectors of length 1, those of a
// value 0 excepted on the longer side (zeros).
struct Svd {
  std::vector<double> values;              // falling
  std::vector<std::vector<double>> left;   // each of `rows` numbers
  std::vector<std::vector<double>> right;  // each of `columns` numbers
};

// `a` is row-major, rows x columns, at least 1 x 1, finite.
Svd svd(std::span<const double> a, std::int64_t rows, std::int64_t columns);

}  // namespace pare
