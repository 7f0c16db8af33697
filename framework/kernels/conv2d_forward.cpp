// conv2d forward: y [pixels x out] = inputs [pixels x depth] * filters [depth x out], where row p
// of the inputs is gathered from the image by the register tiles.
#include <algorithm>
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

// Cuts the output pixels into blocks of whole images, or into rows of one image where images are
// large.
class Blocks {
 public:
  explicit Blocks(const ConvShape& s) : Blocks(of_whole_images(s)) {
    const bool large = s.out_pixels() > 8 * kPixels;
    if (large) rows_ = std::max<std::int64_t>(1, 4 * kPixels / s.out_w());
    per_image_ = (out_h_ + rows_ - 1) / rows_;
  }
  static Blocks of_whole_images(const ConvShape& s) {
    return Blocks(s.batch, s.out_h(),
                  std::clamp<std::int64_t>(kPixels / s.out_pixels(), 1, s.batch));
  }
  std::int64_t count() const { return (batch_ + images_ - 1) / images_ * per_image_; }
  ConvInputs inputs(const ConvShape& s) const { return ConvInputs(s, images_, rows_); }
  PixelBlock operator[](std::int64_t i) const {
    const std::int64_t image = i / per_image_ * images_;
    const std::int64_t row = i % per_image_ * rows_;
    return {image, std::min(images_, batch_ - image), row, std::min(rows_, out_h_ - row)};
  }

 private:
  static constexpr std::int64_t kPixels = 256;
  Blocks(std::int64_t batch, std::int64_t out_h, std::int64_t images)
      : batch_(batch), out_h_(out_h), images_(images), rows_(out_h) {}
  std::int64_t batch_, out_h_, images_, rows_, per_image_ = 1;
};

// All output channels of group g for the pixels of a block; filters [depth, out], y [pixels, out].
void convolve_group(const ConvShape& s, std::int64_t g, const ConvInputs& inputs,
                    const float* first, std::int64_t pixels, const float* filters,
                    const float* bias, float* y) {
  const std::int64_t* offsets = inputs.pixels().data();
  const std::int64_t end = (g + 1) * s.group_outputs();
  for (std::int64_t n = g * s.group_outputs(); n < end; n += kTileColumns) {
    GatherTile tile;
    tile.columns = std::min(kTileColumns, end - n);
    const std::int64_t tile_rows = balanced_tile(pixels, most_rows(tile.columns));
    for (std::int64_t p = 0; p < pixels; p += tile_rows) {
      tile.rows = std::min(tile_rows, pixels - p);
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        tile.a[r] = first + offsets[p + r] + g * s.group_channels();
        tile.start[r] = bias ? bias + n : zero_row();
        tile.out[r] = y + (p + r) * s.out_channels + n;
      }
      gather_product(tile, inputs.segments(), inputs.segment_length(), filters + n, s.out_channels);
    }
  }
}

// The same as convolve() below in fewer products.
template <class Place, class Done>
void convolve_tiles(const ConvShape& s, const float* x, const float* weight, const float* bias,
                    const Place& place, const Done& done) {
  const winograd::Extents extents = winograd::forward_extents(s);
  const Tensor filters = winograd::forward_filters(s, weight);
  const Blocks blocks = Blocks::of_whole_images(s);
  parallel_for(blocks.count(), [&](std::int64_t i) {
    const PixelBlock block = blocks[i];
    float* y = place(block);
    winograd::convolve(extents, block.images, x + block.first_image * s.image_size(),
                       filters.data(), bias, 0, y);
    done(block, y);
  });
}

// Calls done(block) for every block, from any thread, when place(block) [pixels, out] holds its
// convolution.
template <class Place, class Done>
void convolve(const ConvShape& s, const Blocks& blocks, const float* x, const float* weight,
              const float* bias, const Place& place, const Done& done) {
  if (winograd::pays(s)) return convolve_tiles(s, x, weight, bias, place, done);
  Tensor filters(Shape{s.depth(), s.out_channels});
  transpose(weight, s.out_channels, s.depth(), filters.mutable_data());
  const ConvInputs inputs = blocks.inputs(s);
  parallel_for(blocks.count(), [&](std::int64_t i) {
    thread_local std::vector<float> padded;
    const PixelBlock block = blocks[i];
    const float* first = inputs.first(x, block, padded);
    float* y = place(block);
    for (std::int64_t g = 0; g < s.groups; ++g) {
      convolve_group(s, g, inputs, first, block.pixels(s), filters.data(), bias, y);
    }
    done(block, y);
  });
}

}  // namespace

void conv2d_forward(const ConvShape& s, const float* x, const float* weight, const float* bias,
                    float* y) {
  const auto place = [&](const PixelBlock& block) {
    const std::int64_t pixel = block.first_image * s.out_pixels() + block.first_row * s.out_w();
    return y + pixel * s.out_channels;
  };
  convolve(s, Blocks(s), x, weight, bias, place, [](const PixelBlock&, const float*) {});
}

void conv2d_max_pool_forward(const ConvShape& s, const ImageShape& pool, const float* x,
                             const float* weight, const float* bias, float* y,
                             std::uint16_t* taps) {
  const std::int64_t pooled = pool.out_pixels() * pool.channels;
  const auto place = [&](const PixelBlock& block) {
    thread_local std::vector<float> scratch;
    scratch.resize(static_cast<std::size_t>(block.images * s.y_size()));
    return scratch.data();
  };
  convolve(s, Blocks::of_whole_images(s), x, weight, bias, place,
           [&](const PixelBlock& block, const float* convolution) {
             ImageShape some = pool;
             some.batch = block.images;
             max_pool_forward(some, convolution, y + block.first_image * pooled,
                              taps + block.first_image * pooled);
           });
}

}  // namespace pare
