// Which of the two codes around a value: nearest, and three others for weights.
//
// floor and truncate (toward zero) as in documents 001 and 004. stochastic: floor(x / scale + u)
// with u uniform in [0, 1), whose mean is x / scale (Gupta et al. 2015, arXiv:1502.02551, section
// 3), in training; evaluation and what is lowered round to nearest.
#pragma once

#include <cstdint>
#include <string_view>

#include "compression/quantize/grid.h"
#include "framework/autograd/variable.h"

namespace pare {

struct Pass;

enum class RoundingMode { nearest, floor, truncate, stochastic };

// x on the grid, with the straight-through gradient of fake_quantize(). `where` names the stream of
// stochastic rounding: element i draws the same number for any number of threads.
Variable fake_quantize_rounded(const Variable& x, const Grid& grid, int axis, RoundingMode mode,
                               std::string_view where, const Pass& pass);

// The codes that evaluation gives.
GridCodes codes_rounded(const Tensor& x, const Grid& grid, int axis, RoundingMode mode);

}  // namespace pare
