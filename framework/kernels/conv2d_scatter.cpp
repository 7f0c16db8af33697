#include "framework/kernels/conv2d_scatter.h"

#include <algorithm>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/padding.h"
#include "framework/kernels/tile.h"

namespace pare {
namespace {

constexpr std::int64_t kPixels = 4 * kTileRows;  // at a time: their products stay in the cache

void add(const float* from, std::int64_t count, float* to) {
  std::int64_t i = 0;
  for (; i + simd::kLanes <= count; i += simd::kLanes) {
    simd::store(to + i, simd::load(to + i) + simd::load(from + i));
  }
  if (i == count) return;
  const simd::Mask mask = simd::first_lanes(count - i);
  simd::store(to + i, simd::load(to + i, mask) + simd::load(from + i, mask), mask);
}

// products [pixels, depth] = dy [pixels, out of group g] * weight [out of group g, depth].
void multiply(const ConvShape& s, std::int64_t pixels, const float* dy, const float* weight,
              float* products) {
  static constexpr std::int64_t kSegment[] = {0};
  for (std::int64_t n = 0; n < s.depth(); n += kTileColumns) {
    GatherTile tile;
    tile.columns = std::min(kTileColumns, s.depth() - n);
    const std::int64_t rows = balanced_tile(pixels, most_rows(tile.columns));
    for (std::int64_t p = 0; p < pixels; p += rows) {
      tile.rows = std::min(rows, pixels - p);
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        tile.a[r] = dy + (p + r) * s.out_channels;
        tile.out[r] = products + (p + r) * s.depth() + n;
        tile.start[r] = zero_row();
      }
      gather_product(tile, kSegment, s.group_outputs(), weight + n, s.depth());
    }
  }
}

// The part of an image that windows reach, border included: [height, width, channels].
struct Reached {
  explicit Reached(const ConvShape& s)
      : height((s.out_h() - 1) * s.window.stride_h + s.window.kernel_h),
        width((s.out_w() - 1) * s.window.stride_w + s.window.kernel_w) {}
  std::int64_t height, width;
};

// Adds the products of output pixels [first, first + pixels) to the inputs of group g.
void add_products(const ConvShape& s, std::int64_t g, std::int64_t first, std::int64_t pixels,
                  const float* products, const Reached& reached, float* image) {
  const Window& w = s.window;
  const bool merged = s.groups == 1;  // the taps of a kernel row lie next to each other
  const std::int64_t segments = merged ? 1 : w.kernel_w;
  const std::int64_t length = merged ? w.kernel_w * s.channels : s.group_channels();
  for (std::int64_t p = first; p < first + pixels; ++p) {
    const std::int64_t top = p / s.out_w() * w.stride_h, left = p % s.out_w() * w.stride_w;
    for (std::int64_t i = 0; i < w.kernel_h; ++i) {
      for (std::int64_t j = 0; j < segments; ++j, products += length) {
        const std::int64_t pixel = (top + i) * reached.width + left + j;
        add(products, length, image + pixel * s.channels + g * s.group_channels());
      }
    }
  }
}

}  // namespace

void scatter_input_gradient(const ConvShape& s, const OutputGradient& dy, const float* weight,
                            float* dx, float beta) {
  const Reached reached(s);
  parallel_for(s.batch, [&](std::int64_t b) {
    thread_local std::vector<float> scratch, products, image, visible;
    products.resize(static_cast<std::size_t>(kPixels * s.depth()));
    image.assign(static_cast<std::size_t>(reached.height * reached.width * s.channels), 0.0f);
    const float* from = dy.images(b, 1, s.y_size(), scratch);
    for (std::int64_t g = 0; g < s.groups; ++g) {
      for (std::int64_t p = 0; p < s.out_pixels(); p += kPixels) {
        const std::int64_t pixels = std::min(kPixels, s.out_pixels() - p);
        multiply(s, pixels, from + p * s.out_channels + g * s.group_outputs(),
                 weight + g * s.group_outputs() * s.depth(), products.data());
        add_products(s, g, p, pixels, products.data(), reached, image.data());
      }
    }
    float* to = dx + b * s.image_size();
    if (beta != 0) {
      visible.resize(static_cast<std::size_t>(s.image_size()));
      to = visible.data();
    }
    copy_padded(image.data(), reached.height, reached.width, s.channels, s.window.pad_top, s.height,
                s.window.pad_left, s.width, to);
    if (beta != 0) add(to, s.image_size(), dx + b * s.image_size());
  });
}

}  // namespace pare
