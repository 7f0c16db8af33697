// What layers expect of their inputs, checked once when the network is built. Every error says what
// was expected, what came, and what to put in front.
#pragma once

#include <cstdint>
#include <span>

#include "framework/tensor/shape.h"

namespace pare {

// No extent of a tensor may be larger, so that products of extents stay far from overflow.
inline constexpr std::int64_t kLargestExtent = 65536;

// The only input. Throws ConfigError where there are more or none.
const Shape& one_input(std::span<const Shape> inputs);
// The only input, [B, features].
const Shape& vector_input(std::span<const Shape> inputs);
// The only input, [B, height, width, channels].
const Shape& image_input(std::span<const Shape> inputs);

}  // namespace pare
