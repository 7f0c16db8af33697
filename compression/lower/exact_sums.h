// Integer sums of products through float matrix products: the kernels of the exact evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/ops/ops.h"

namespace pare {

// A convolution (or dense layer: a 1x1 image) over codes with both zero points removed.
struct SumsLayout {
  std::int64_t height = 1, width = 1, channels = 1;  // of the input image
  std::int64_t out_channels = 1;
  std::int64_t groups = 1;  // depthwise: groups = channels
  Window window;
  bool wide_weights = false;  // affine weights span up to 255: shorter exact chunks
};

// weights [out][kernel_h][kernel_w][channels / groups], x [images][height][width][channels];
// returns the sums [images][out_h][out_w][out], modulo 2^32. Each product chunk stays below 2^24,
// so float adds exactly.
std::vector<std::uint32_t> exact_sums(const SumsLayout& layout, std::span<const float> weights,
                                      std::span<const float> x);

}  // namespace pare
