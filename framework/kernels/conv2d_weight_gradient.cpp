// conv2d backward, weights: dweight^T [depth x out] = inputs^T [depth x pixels] * dy [pixels x
// out]. The sum over pixels is long and outputs are few, so it is split over chunks of images whose
// number depends on the shape only; the chunks' sums are added in order.
#include <algorithm>
#include <span>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/conv2d.h"
#include "framework/kernels/conv2d_layout.h"
#include "framework/kernels/tile.h"
#include "framework/kernels/transpose.h"
#include "framework/kernels/winograd.h"
#include "framework/tensor/tensor.h"

namespace pare {
namespace {

constexpr std::int64_t kMostChunks = 16;
constexpr std::int64_t kBlockPixels = 256;  // per visit of a tile's sums, where images are small
constexpr std::int64_t kMostPartialFloats = std::int64_t{1} << 22;

// How the work is cut: chunks of images times parts of the filter's depth.
struct Cut {
  explicit Cut(const ConvShape& s) {
    const std::int64_t filters = s.depth() * s.out_channels;
    const std::int64_t most =
        std::clamp<std::int64_t>(kMostPartialFloats / filters, 1, kMostChunks);
    images = (s.batch + most - 1) / most;
    chunks = (s.batch + images - 1) / images;
    const std::int64_t parts_wanted = (kMostChunks + chunks - 1) / chunks;
    depth = balanced_tile(s.depth(), std::max(kTileRows, s.depth() / parts_wanted));
    parts = (s.depth() + depth - 1) / depth;
  }
  std::int64_t images, chunks;  // per chunk
  std::int64_t depth, parts;    // per part
};

// sums [depth, out], rows [begin, end): += the products of the given pixels; with `first`, starts
// from zero.
void accumulate(const ConvShape& s, const float* x, std::span<const std::int64_t> pixels,
                const StepVector<std::int64_t>& elements, const float* dy, std::int64_t begin,
                std::int64_t end, bool first, float* sums) {
  for (std::int64_t n = 0; n < s.out_channels;) {
    const std::int64_t g = n / s.group_outputs();
    OuterTile tile;
    tile.columns = std::min(kTileColumns, (g + 1) * s.group_outputs() - n);
    const std::int64_t tile_rows = balanced_tile(end - begin, most_rows(tile.columns));
    for (std::int64_t k = begin; k < end; k += tile_rows) {
      tile.rows = std::min(tile_rows, end - k);
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        tile.offset[r] = elements[static_cast<std::size_t>(k + r)] + g * s.group_channels();
        tile.out[r] = sums + (k + r) * s.out_channels + n;
        tile.start[r] = first ? zero_row() : tile.out[r];
      }
      outer_product(tile, x, pixels, dy + n, s.out_channels);
    }
    n += tile.columns;
  }
}

// dweight [out, depth] = beta * dweight + the chunks' sums [chunks, depth, out], transposed; the
// first chunk takes the sum.
void add_chunks(const ConvShape& s, std::int64_t chunks, float* sums, float* dweight, float beta) {
  const std::int64_t size = s.depth() * s.out_channels;
  parallel_tiles(size, 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      for (std::int64_t i = begin; i < end; ++i) sums[i] += sums[chunk * size + i];
    }
  });
  if (beta == 0) return transpose(sums, s.depth(), s.out_channels, dweight);
  Tensor turned(Shape{s.out_channels, s.depth()});
  transpose(sums, s.depth(), s.out_channels, turned.mutable_data());
  parallel_tiles(size, 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dweight[i] += turned.data()[i];
  });
}

}  // namespace

void conv2d_weight_gradient(const ConvShape& s, const float* x, const OutputGradient& dy,
                            float* dweight, float beta) {
  if (winograd::pays(s)) {
    Tensor parts = winograd::weight_gradients(s, x, dy);
    return add_chunks(s, parts.shape()[0], parts.mutable_data(), dweight, beta);
  }
  const Cut cut(s);
  const std::int64_t block_images =
      std::clamp<std::int64_t>(kBlockPixels / s.out_pixels(), 1, cut.images);
  const ConvInputs inputs(s, block_images, s.out_h());
  const StepVector<std::int64_t> elements = inputs.elements();
  Tensor sums(Shape{cut.chunks, s.depth(), s.out_channels});
  float* all = sums.mutable_data();
  parallel_for(cut.chunks * cut.parts, [&](std::int64_t i) {
    thread_local std::vector<float> padded, scratch;
    const std::int64_t chunk = i / cut.parts;
    const std::int64_t begin = i % cut.parts * cut.depth;
    const std::int64_t end = std::min(begin + cut.depth, s.depth());
    const std::int64_t first = chunk * cut.images;
    const std::int64_t last = std::min(first + cut.images, s.batch);
    for (std::int64_t image = first; image < last; image += block_images) {
      const PixelBlock block{image, std::min(block_images, last - image), 0, s.out_h()};
      const auto pixels =
          std::span(inputs.pixels()).first(static_cast<std::size_t>(block.pixels(s)));
      accumulate(s, inputs.first(x, block, padded), pixels, elements,
                 dy.images(image, block.images, s.y_size(), scratch), begin, end, image == first,
                 all + chunk * s.depth() * s.out_channels);
    }
  });
  add_chunks(s, cut.chunks, all, dweight, beta);
}

}  // namespace pare
