// From real multipliers to the integers that requantization uses (arithmetic.h of the integer
// engine).
#pragma once

#include <cstdint>
#include <optional>

#include "compression/integer/arithmetic.h"

namespace pare {

// value * 2^(shift - 31) nearest to m >= 0 (ties of the mantissa away from zero). Below 2^-32 it is
// zero. Nothing where the shift would exceed 30.
std::optional<integer::Multiplier> fixed_point(double m);

// The scale of an edge, or the least one above it at which accumulators of at most `bound` fit
// int32 after the left shift of the multiplier product / scale, and that multiplier exists. Only a
// range next to nothing is raised: its values are lost in what reads the edge.
float fitting_scale(float scale, double product, std::int64_t bound);

// The multiplier of a mean over `count` codes: 1 / count is folded into m, as TensorFlow Lite's
// MEAN does.
integer::Multiplier divide_by_count(integer::Multiplier m, std::int64_t count);

}  // namespace pare
