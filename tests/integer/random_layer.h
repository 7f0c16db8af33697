// Random programs of one layer, drawn for the kernels: shapes around their tile sizes, operands at
// the ends of their ranges. For tests of kernels against the reference.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/program.h"

namespace pare::integer {

// A conv2d (half of them with the 2 x 2 max pooling that is fused behind it), depthwise_conv2d,
// dense, add, average pool or global average; the weights and biases as random_program draws them,
// or everywhere at one end.
Program random_layer(std::uint64_t seed);

// A clamp to two neighbouring codes, then a convolution or dense layer whose weights are +1 and -1,
// with a pooling behind it at times: what kernels may compute on bits.
Program random_bit_layer(std::uint64_t seed);

// A conv2d of 3 x 3 taps, stride 1 and 16, 32, ... input channels, half of them with a pooling:
// what kernels may compute by minimal filtering.
Program random_filter_layer(std::uint64_t seed);

// Codes of the whole input range, of its two ends only, or of one end only.
std::vector<std::int8_t> extreme_codes(const Program& program, std::int64_t images,
                                       std::uint64_t seed);

}  // namespace pare::integer
