// The weight gradient by minimal filtering: G^T [sum over tiles (B^T d B) * (A dy A^T)] G. The sum
// over tiles is one product of matrices per point; it is split over chunks of images whose number
// depends on the shape only.
#include <algorithm>
#include <span>

#include "framework/base/parallel.h"
#include "framework/kernels/prefetch.h"
#include "framework/kernels/tile.h"
#include "framework/kernels/winograd.h"
#include "framework/kernels/winograd_transforms.h"

namespace pare::winograd {
namespace {

constexpr std::int64_t kMostChunks = 16;

// A dy A^T of those tiles, [tiles, 36, outputs]; what lies outside of the image is zero.
void transform_gradients(const Extents& e, const TileRows& rows, const float* dy, float* tiles) {
  for_tiles(e, rows, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
    const std::int64_t h = e.out_h - row, w = e.out_w - column;
    const std::int64_t outputs = e.outputs, line = e.out_w * e.outputs;
    const float* first = dy + image * e.y_size() + row * line + column * outputs;
    for_vectors(outputs, [=](std::int64_t n, simd::Mask mask) {
      ask_below(prefetch, first, kOutputs * line + n, line, outputs);
      along_both<kOutputs, kInputs>(
          output_gradient_map,
          [=](int i, int j) {
            return i < h && j < w ? simd::load(first + i * line + j * outputs + n, mask) : Floats{};
          },
          [=](int i, int j, Floats v) {
            simd::store(tiles + (i * kInputs + j) * outputs + n, v, mask);
          });
    });
    tiles += tile_stride(e.outputs);
  });
}

// sums [36, channels, outputs] += inputs^T * gradients, point by point, over the tiles that begin
// at `starts` in inputs; with `first`, from zero.
void accumulate(const Extents& e, std::span<const std::int64_t> starts, const float* inputs,
                const float* gradients, bool first, float* sums) {
  for (std::int64_t point = 0; point < kPoints; ++point) {
    float* sum = sums + point * e.channels * e.outputs;
    for (std::int64_t n = 0; n < e.outputs; n += kTileColumns) {
      OuterTile tile;
      tile.columns = std::min(kTileColumns, e.outputs - n);
      const std::int64_t most = balanced_tile(e.channels, most_rows(tile.columns));
      for (std::int64_t c = 0; c < e.channels; c += most) {
        tile.rows = std::min(most, e.channels - c);
        for (std::int64_t r = 0; r < tile.rows; ++r) {
          tile.offset[r] = c + r;
          tile.out[r] = sum + (c + r) * e.outputs + n;
          tile.start[r] = first ? zero_row() : tile.out[r];
        }
        outer_product(tile, inputs + point * e.channels, starts, gradients + point * e.outputs + n,
                      tile_stride(e.outputs));
      }
    }
  }
}

// taps [3, 3, channels, outputs] = G^T sums G.
void to_taps(const Extents& e, const float* sums, float* taps) {
  const std::int64_t size = e.channels * e.outputs;
  for_vectors(size, [=](std::int64_t i, simd::Mask mask) {
    along_both<kInputs, kTaps>(
        filter_gradient_map,
        [=](int y, int x) { return simd::load(sums + (y * kInputs + x) * size + i, mask); },
        [=](int y, int x, Floats tap) {
          simd::store(taps + (y * kTaps + x) * size + i, tap, mask);
        });
  });
}

// The gradient [3, 3, channels, outputs] of `images` images.
void gradient_of(const Extents& e, std::int64_t images, const float* x, const float* dy,
                 float* taps) {
  thread_local std::vector<float> inputs, gradients, sums;
  thread_local std::vector<std::int64_t> starts;
  sums.resize(static_cast<std::size_t>(kPoints * e.channels * e.outputs));
  bool first = true;
  for_tile_rows(e, images, [&](std::int64_t image, const TileRows& rows) {
    const auto tiles = static_cast<std::size_t>(rows.tiles(e));
    inputs.resize(tiles * static_cast<std::size_t>(tile_stride(e.channels)));
    gradients.resize(tiles * static_cast<std::size_t>(tile_stride(e.outputs)));
    transform_inputs(e, rows, x + image * e.x_size(), inputs.data());
    transform_gradients(e, rows, dy + image * e.y_size(), gradients.data());
    starts.resize(tiles);
    for (std::size_t t = 0; t < tiles; ++t)
      starts[t] = static_cast<std::int64_t>(t) * tile_stride(e.channels);
    accumulate(e, starts, inputs.data(), gradients.data(), first, sums.data());
    first = false;
  });
  to_taps(e, sums.data(), taps);
}

}  // namespace

Tensor weight_gradients(const ConvShape& s, const float* x, const OutputGradient& dy) {
  const std::int64_t images = (s.batch + kMostChunks - 1) / kMostChunks;
  const std::int64_t chunks = (s.batch + images - 1) / images;
  const Extents e = forward_extents(s);
  Tensor all(Shape{chunks, s.depth(), s.out_channels});
  float* taps = all.mutable_data();
  parallel_for(chunks, [&](std::int64_t chunk) {
    thread_local std::vector<float> scratch;
    const std::int64_t first = chunk * images;
    const std::int64_t count = std::min(images, s.batch - first);
    gradient_of(e, count, x + first * e.x_size(), dy.images(first, count, e.y_size(), scratch),
                taps + chunk * s.depth() * s.out_channels);
  });
  return all;
}

}  // namespace pare::winograd
