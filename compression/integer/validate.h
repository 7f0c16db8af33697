// The total validator of an integer program: after it, running the program cannot read out of
// bounds, divide by zero, overflow, or take memory and time without bound. Called when a program is
// lowered, when model.pare is loaded and when an Engine is made.
#pragma once

#include "compression/integer/program.h"

namespace pare::integer {

// Checks: names; every index, shape and size; the work of an image; windows against shapes; code
// ranges; multipliers (value 0 or in [2^30, 2^31), shift in [-31, 30]); each tensor written once
// and before it is read; and the accumulator bound: per output channel,
//   max over inputs in the producer's clamp range of |bias + sum|, times 2^max(shift, 0), fits
//   int32.
// Throws DataError that names the tensor or operation, the bound, and the limit.
void validate(const Program& program);

// The bound of that proof: the largest |accumulator| any input can produce, per output channel.
// `input` is the tensor that the operation reads. Used by lowering to say which grid would pass.
std::vector<std::int64_t> accumulator_bounds(const Conv2d& op, const Tensor& input,
                                             const Tensor& output);
std::vector<std::int64_t> accumulator_bounds(const DepthwiseConv2d& op, const Tensor& input,
                                             const Tensor& output);
std::vector<std::int64_t> accumulator_bounds(const Dense& op, const Tensor& input,
                                             const Tensor& output);

}  // namespace pare::integer
