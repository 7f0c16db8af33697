#include "framework/kernels/winograd.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/kernels/padding.h"
#include "framework/kernels/tile.h"
#include "framework/kernels/transpose.h"
#include "framework/kernels/winograd_transforms.h"

namespace pare::winograd {
namespace {

// Below so many channels the passes cost more than the products that they save.
constexpr std::int64_t kFewestChannels = 8;

// G g G^T of one channel's filters, whose tap (i, j) of all outputs is tap(i, j)[0 .. outputs); to
// out[point * stride + output].
template <class Tap>
void transform_filters(std::int64_t outputs, std::int64_t stride, const Tap& tap, float* out) {
  for_vectors(outputs, [&](std::int64_t n, simd::Mask mask) {
    along_both<kTaps, kInputs>(
        filter_map, [&](int i, int j) { return simd::load(tap(i, j) + n, mask); },
        [&](int i, int j, Floats u) {
          simd::store(out + (i * kInputs + j) * stride + n, u, mask);
        });
  });
}

// products [tiles, 36, outputs] = tiles [tiles, 36, channels] * filters [36, channels, outputs],
// point by point.
void multiply(const Extents& e, std::int64_t tiles, const float* inputs, const float* filters,
              float* products) {
  static constexpr std::int64_t kSegment[] = {0};
  for (std::int64_t point = 0; point < kPoints; ++point) {
    const float* filter = filters + point * e.channels * e.outputs;
    for (std::int64_t n = 0; n < e.outputs; n += kTileColumns) {
      GatherTile tile;
      tile.columns = std::min(kTileColumns, e.outputs - n);
      const std::int64_t most = balanced_tile(tiles, most_rows(tile.columns));
      for (std::int64_t t = 0; t < tiles; t += most) {
        tile.rows = std::min(most, tiles - t);
        for (std::int64_t r = 0; r < tile.rows; ++r) {
          tile.a[r] = inputs + ((t + r) * kPoints + point) * e.channels;
          tile.start[r] = zero_row();
          tile.out[r] = products + ((t + r) * kPoints + point) * e.outputs + n;
        }
        gather_product(tile, kSegment, e.channels, filter + n, e.outputs);
      }
    }
  }
}

// One tile's outputs from its products [36, outputs]: pixel (i, j), of which `h` times `w` are
// inside the image, is y[(i * out_w + j) * outputs].
void transform_outputs(const Extents& e, const float* products, const float* bias, float beta,
                       std::int64_t h, std::int64_t w, float* y) {
  for_vectors(e.outputs, [&](std::int64_t n, simd::Mask mask) {
    const Floats start = bias ? simd::load(bias + n, mask) : Floats{};
    along_both<kInputs, kOutputs>(
        output_map,
        [&](int i, int j) {
          return simd::load(products + (i * kInputs + j) * e.outputs + n, mask);
        },
        [&](int i, int j, Floats value) {
          if (i >= h || j >= w) return;
          float* out = y + (i * e.out_w + j) * e.outputs + n;
          value += start;
          if (beta != 0) value += simd::load(out, mask);
          simd::store(out, value, mask);
        });
  });
}

void store_outputs(const Extents& e, const TileRows& rows, const float* products, const float* bias,
                   float beta, float* y) {
  for (std::int64_t image = 0; image < rows.images; ++image, y += e.y_size()) {
    for (std::int64_t row = rows.first; row < rows.first + rows.rows; ++row) {
      for (std::int64_t column = 0; column < e.tiles_w(); ++column) {
        const std::int64_t top = row * kOutputs, left = column * kOutputs;
        transform_outputs(e, products, bias, beta, e.out_h - top, e.out_w - left,
                          y + (top * e.out_w + left) * e.outputs);
        products += kPoints * e.outputs;
      }
    }
  }
}

}  // namespace

bool pays(const ConvShape& s) {
  const Window& w = s.window;
  return w.kernel_h == kTaps && w.kernel_w == kTaps && w.stride_h == 1 && w.stride_w == 1 &&
         s.groups == 1 && std::min(s.channels, s.out_channels) >= kFewestChannels &&
         std::min(s.out_h(), s.out_w()) >= kOutputs;
}

Extents forward_extents(const ConvShape& s) {
  return {s.height,  s.width,        s.channels,       s.out_h(),
          s.out_w(), s.out_channels, s.window.pad_top, s.window.pad_left};
}

Extents gradient_extents(const ConvShape& s) {
  return {s.out_h(),
          s.out_w(),
          s.out_channels,
          s.height,
          s.width,
          s.channels,
          kTaps - 1 - s.window.pad_top,
          kTaps - 1 - s.window.pad_left};
}

Tensor forward_filters(const ConvShape& s, const float* weight) {
  Tensor taps(Shape{kTaps, kTaps, s.channels, s.out_channels});
  transpose(weight, s.out_channels, s.depth(), taps.mutable_data());
  Tensor filters(Shape{kPoints, s.channels, s.out_channels});
  const float* from = taps.data();
  float* to = filters.mutable_data();
  parallel_for(s.channels, [&](std::int64_t c) {
    const auto tap = [&](int i, int j) {
      return from + ((i * kTaps + j) * s.channels + c) * s.out_channels;
    };
    transform_filters(s.out_channels, s.channels * s.out_channels, tap, to + c * s.out_channels);
  });
  return filters;
}

Tensor gradient_filters(const ConvShape& s, const float* weight) {
  Tensor filters(Shape{kPoints, s.out_channels, s.channels});
  float* to = filters.mutable_data();
  parallel_for(s.out_channels, [&](std::int64_t o) {
    const auto turned = [&](int i, int j) {
      const int tap = (kTaps - 1 - i) * kTaps + kTaps - 1 - j;
      return weight + (o * kTaps * kTaps + tap) * s.channels;
    };
    transform_filters(s.channels, s.out_channels * s.channels, turned, to + o * s.channels);
  });
  return filters;
}

const float* padded_rows(const float* image, std::int64_t height, std::int64_t width,
                         std::int64_t channels, std::int64_t first, std::int64_t rows,
                         std::int64_t left, std::int64_t columns, std::vector<float>& scratch) {
  if (first >= 0 && first + rows <= height && left == 0 && columns == width)
    return image + first * width * channels;
  scratch.resize(static_cast<std::size_t>(rows * columns * channels));
  copy_padded(image, height, width, channels, first, rows, left, columns, scratch.data());
  return scratch.data();
}

void transform_inputs(const Extents& e, const TileRows& rows, const float* x, float* tiles) {
  thread_local std::vector<float> scratch;
  const std::int64_t columns = e.tiles_w() * kOutputs + kTaps - 1;
  for (std::int64_t image = 0; image < rows.images; ++image) {
    const float* from = padded_rows(
        x + image * e.x_size(), e.height, e.width, e.channels, rows.first * kOutputs - e.pad_top,
        rows.rows * kOutputs + kTaps - 1, -e.pad_left, columns, scratch);
    for (std::int64_t t = 0; t < rows.rows * e.tiles_w(); ++t, tiles += kPoints * e.channels) {
      const std::int64_t pixel = (t / e.tiles_w() * columns + t % e.tiles_w()) * kOutputs;
      for_vectors(e.channels, [&](std::int64_t c, simd::Mask mask) {
        along_both<kInputs, kInputs>(
            input_map,
            [&](int i, int j) {
              return simd::load(from + (pixel + i * columns + j) * e.channels + c, mask);
            },
            [&](int i, int j, Floats v) {
              simd::store(tiles + (i * kInputs + j) * e.channels + c, v, mask);
            });
      });
    }
  }
}

void convolve(const Extents& e, std::int64_t images, const float* x, const float* filters,
              const float* bias, float beta, float* y) {
  thread_local std::vector<float> inputs, products;
  for_tile_rows(e, images, [&](std::int64_t image, const TileRows& rows) {
    const std::int64_t tiles = rows.tiles(e);
    inputs.resize(static_cast<std::size_t>(tiles * kPoints * e.channels));
    products.resize(static_cast<std::size_t>(tiles * kPoints * e.outputs));
    transform_inputs(e, rows, x + image * e.x_size(), inputs.data());
    multiply(e, tiles, inputs.data(), filters, products.data());
    store_outputs(e, rows, products.data(), bias, beta, y + image * e.y_size());
  });
}

}  // namespace pare::winograd
