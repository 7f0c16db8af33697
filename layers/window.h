// Kernel, stride and padding as configs say them, and the sliding window they give on an image of a
// known size. Shared by convolutions and pools.
#pragma once

#include <cstdint>

#include "framework/config/forward.h"
#include "framework/ops/ops.h"

namespace pare {

// Height and width: "3" or "[3, 5]" in configs.
struct Extent {
  std::int64_t h = 1, w = 1;
  bool operator==(const Extent&) const = default;
};

// valid: none. same: as TensorFlow, so that out = ceil(in / stride). pixels: that many on all four
// sides.
struct Padding {
  enum class Kind { valid, same, pixels };
  Kind kind = Kind::valid;
  std::int64_t pixels = 0;
  bool operator==(const Padding&) const = default;
};

// With `same`, total = max(0, (ceil(in / stride) - 1) * stride + kernel - in), total / 2 of it
// (rounded down) before the image and the rest behind it. Throws ConfigError where the padding is
// not smaller than the kernel (a window would miss the image) or the kernel does not fit into the
// padded image. `input` is [B, H, W, C].
Window resolve_window(Extent kernel, Extent stride, Padding padding, const Shape& input);

// How configs read and write them.
config::Type<Extent> extent_type();
config::Type<Padding> padding_type();

}  // namespace pare
