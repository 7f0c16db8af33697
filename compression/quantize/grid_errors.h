// The squared errors that many grids make on the same values: what the search for a range of
// weights spends its time on, at every update.
#pragma once

#include <span>
#include <vector>

#include "compression/quantize/grid.h"

namespace pare {

// Of each channel of `grids`: sum over all values of (x - q(x))^2. Values are finite and less than
// 2^22 steps from 0. The error of a value is computed in float32 and summed in float32 over a tile,
// in double over tiles of a fixed size: the same bits for any number of threads, and off by some
// 1e-7 of the sum, so that of two grids that are nearer to each other than this either may seem the
// better one.
std::vector<double> squared_errors(std::span<const float> values, const Grid& grids);

}  // namespace pare
