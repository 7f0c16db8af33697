// 3x3 convolutions of stride 1 by Winograd's minimal filtering: a quarter of the products, for two
// passes over tiles of 6 x 6 (winograd_transforms.h has the formulas). The transformed tiles of a
// few image rows live in the cache between the passes; their products, one matrix per point, are
// those of the register tiles in tile.h.
//
// Float32 sums of another shape: results differ from the direct kernels' in the last bits, never
// between runs or thread counts. Not for use outside framework/kernels/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "framework/kernels/output_gradient.h"
#include "framework/ops/window.h"
#include "framework/tensor/tensor.h"

namespace pare::winograd {

// Whether the convolution has this form, and enough channels for the products to outweigh the
// passes.
bool pays(const ConvShape& shape);

// A convolution of images [height, width, channels] to [out_h, out_w, outputs]; what lies outside
// of an image is zero.
struct Extents {
  std::int64_t height, width, channels, out_h, out_w, outputs, pad_top, pad_left;

  std::int64_t tiles_h() const { return (out_h + 3) / 4; }
  std::int64_t tiles_w() const { return (out_w + 3) / 4; }
  std::int64_t x_size() const { return height * width * channels; }
  std::int64_t y_size() const { return out_h * out_w * outputs; }
};

Extents forward_extents(const ConvShape& shape);
// Of the convolution that gives dx from dy.
Extents gradient_extents(const ConvShape& shape);

// The filters of these convolutions, [36, channels, outputs], from the weight [out, 3, 3,
// channels].
Tensor forward_filters(const ConvShape& shape, const float* weight);
Tensor gradient_filters(const ConvShape& shape, const float* weight);

// y = beta * y + bias + convolution of `images` images x; beta is 0 or 1, a null bias is zero. On
// the calling thread.
void convolve(const Extents& extents, std::int64_t images, const float* x, const float* filters,
              const float* bias, float beta, float* y);

// The gradient with respect to the weight in parts, [parts, 3, 3, channels, out]: each is that of
// some of the images, and how many there are depends on the shape only.
Tensor weight_gradients(const ConvShape& shape, const float* x, const OutputGradient& dy);

// Floats from one transformed tile [36, channels] to the next: one line of the cache more than it
// has, or with 64 channels the same element of all tiles would lie in four sets.
inline std::int64_t tile_stride(std::int64_t channels) { return 36 * channels + 16; }

// Tile rows [first, first + rows) of `images` images, each tiles_w() wide.
struct TileRows {
  std::int64_t images, first, rows;
  std::int64_t tiles(const Extents& e) const { return images * rows * e.tiles_w(); }
};

// Calls work(first image, TileRows) for all tiles of the images, about 32 at a time: rows of one
// image, or whole images where those are small.
template <class Work>
void for_tile_rows(const Extents& e, std::int64_t images, const Work& work) {
  constexpr std::int64_t kTiles = 32;
  const std::int64_t per_image = e.tiles_h() * e.tiles_w();
  const std::int64_t some = std::max<std::int64_t>(1, kTiles / per_image);
  const std::int64_t rows = std::clamp<std::int64_t>(kTiles / e.tiles_w(), 1, e.tiles_h());
  for (std::int64_t image = 0; image < images; image += some) {
    for (std::int64_t row = 0; row < e.tiles_h(); row += rows) {
      work(image, TileRows{std::min(some, images - image), row, std::min(rows, e.tiles_h() - row)});
    }
  }
}

// Calls work(image, row, column) with the first output pixel of every tile, in the order in which
// transformed tiles lie in memory.
template <class Work>
void for_tiles(const Extents& e, const TileRows& rows, const Work& work) {
  for (std::int64_t image = 0; image < rows.images; ++image) {
    for (std::int64_t row = rows.first; row < rows.first + rows.rows; ++row) {
      for (std::int64_t column = 0; column < e.tiles_w(); ++column)
        work(image, 4 * row, 4 * column);
    }
  }
}

// B^T d B of those tiles of x: [tiles, 36, channels], tile_stride(channels) apart.
void transform_inputs(const Extents& e, const TileRows& rows, const float* x, float* tiles);

}  // namespace pare::winograd
