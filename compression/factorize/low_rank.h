// Low-rank forms of a weight: a matrix as the product of two (truncated SVD), a convolution's
// kernel as a small kernel between two matrices (Tucker-2). Layouts are those of the layers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "framework/tensor/tensor.h"

namespace pare {

// The smallest number of values whose squares hold the fraction `energy` of the sum of all squares:
// min r: sum_{k<r} s_k^2 >= energy * sum s_k^2. At least 1. `values` fall.
std::int64_t rank_by_energy(std::span<const double> values, double energy);

// How many dimensions to keep: a number, or as many as the energy asks for.
struct RankChoice {
  std::optional<std::int64_t> rank;
  double energy = 1;  // where no rank is given
  std::int64_t of(std::span<const double> values) const;
};

// weight [out, ...] as a matrix [out, rest] = second [out, r] * first [r, ...]; the square roots of
// the singular values go to both. r is at most min(out, rest).
struct TwoFactors {
  Tensor first, second;
};
TwoFactors truncated_svd(const Tensor& weight, const RankChoice& choice);

// weight [out, kh, kw, in] = sum over (p, q) of output [out, p] core [p, kh, kw, q] input [q, in]:
// Tucker-2 by the singular vectors of both unfoldings (Kim et al. 2016, "Compression of deep
// convolutional neural networks for fast and low power mobile applications", section 3).
struct ThreeFactors {
  Tensor input;   // [q, 1, 1, in]
  Tensor core;    // [p, kh, kw, q]
  Tensor output;  // [out, 1, 1, p]
};
ThreeFactors tucker2(const Tensor& weight, const RankChoice& out, const RankChoice& in);

}  // namespace pare
