// Sums over the rows of a matrix, per column: bias gradients and the statistics of batch norm.
//
// Rows are cut into tiles whose size depends on the shape only; inside a tile sums run in float,
// four rows at a time, and the tiles' sums are added in double in their order. All functions are
// parallel.
#pragma once

#include <cstdint>

#include "framework/kernels/normalisation.h"

namespace pare {

// sums[c] = sum over rows of x[row, c].
void column_sums(const float* x, std::int64_t rows, std::int64_t columns, double* sums);

// squares[c] = sum over rows of (x[row, c] - mean[c])^2.
void column_squares(const float* x, const float* mean, std::int64_t rows, std::int64_t columns,
                    double* squares);

// sums[c] = sum of dy[row, c]; products[c] = sum of dy[row, c] * (x[row, c] - mean[c]), of the dy
// that passes the rectifier.
void column_products(const float* dy, const float* x, const Normalisation& n, std::int64_t rows,
                     std::int64_t columns, double* sums, double* products);

// out[c] = beta * out[c] + sum over rows of dy[row, c]; beta is 0 or 1.
void bias_gradient(const float* dy, std::int64_t rows, std::int64_t columns, float* out,
                   float beta);

}  // namespace pare
