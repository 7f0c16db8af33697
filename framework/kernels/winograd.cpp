#include "framework/kernels/winograd.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/kernels/prefetch.h"
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
  for_vectors(outputs, [=](std::int64_t n, simd::Mask mask) {
    along_both<kTaps, kInputs>(
        filter_map, [=](int i, int j) { return simd::load(tap(i, j) + n, mask); },
        [=](int i, int j, Floats u) {
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
          tile.a[r] = inputs + (t + r) * tile_stride(e.channels) + point * e.channels;
          tile.start[r] = zero_row();
          tile.out[r] = products + (t + r) * tile_stride(e.outputs) + point * e.outputs + n;
        }
        gather_product(tile, kSegment, e.channels, filter + n, e.outputs);
      }
    }
  }
}

// One tile's outputs from its products [36, outputs]: pixel (i, j), of which `h` times `w` are
// inside the image, is y[(i * out_w + j) * outputs].
void transform_output(const Extents& e, const float* products, const float* bias, float beta,
                      std::int64_t h, std::int64_t w, float* y) {
  const std::int64_t outputs = e.outputs, out_row = e.out_w * e.outputs;
  for_vectors(outputs, [=](std::int64_t n, simd::Mask mask) {
    const Floats start = bias ? simd::load(bias + n, mask) : Floats{};
    ask_below(prefetch_to_write, y, kOutputs * out_row + n, out_row, outputs);
    along_both<kInputs, kOutputs>(
        output_map,
        [=](int i, int j) { return simd::load(products + (i * kInputs + j) * outputs + n, mask); },
        [=](int i, int j, Floats value) {
          if (i >= h || j >= w) return;
          float* out = y + i * out_row + j * outputs + n;
          value += start;
          if (beta != 0) value += simd::load(out, mask);
          simd::store(out, value, mask);
        });
  });
}

void transform_outputs(const Extents& e, const TileRows& rows, const float* products,
                       const float* bias, float beta, float* y) {
  for_tiles(e, rows, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
    transform_output(e, products, bias, beta, e.out_h - row, e.out_w - column,
                     y + image * e.y_size() + (row * e.out_w + column) * e.outputs);
    products += tile_stride(e.outputs);
  });
}

// B^T d B of the tile whose pixel (i, j) is pixel(i, j)[0 .. channels); its first pixel lies
// `first` floats behind x.
template <class Pixel>
void transform_input(const Extents& e, const Pixel& pixel, const float* x, std::int64_t first,
                     float* tile) {
  const std::int64_t channels = e.channels, line = e.width * e.channels;
  for_vectors(channels, [=](std::int64_t c, simd::Mask mask) {
    ask_below(prefetch, x, first + kInputs * line + c, line, channels);
    along_both<kInputs, kInputs>(
        input_map, [=](int i, int j) { return simd::load(pixel(i, j) + c, mask); },
        [=](int i, int j, Floats v) {
          simd::store(tile + (i * kInputs + j) * channels + c, v, mask);
        });
  });
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

void transform_inputs(const Extents& e, const TileRows& rows, const float* x, float* tiles) {
  thread_local std::vector<float> zeros;
  zeros.resize(static_cast<std::size_t>(e.channels));
  for_tiles(e, rows, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
    const float* from = x + image * e.x_size();
    const std::int64_t top = row - e.pad_top, left = column - e.pad_left;
    const std::int64_t pixel = e.channels, line = e.width * e.channels;
    const std::int64_t place = top * line + left * pixel;
    if (top >= 0 && left >= 0 && top + kInputs <= e.height && left + kInputs <= e.width) {
      const float* first = from + place;
      transform_input(
          e, [=](int i, int j) { return first + i * line + j * pixel; }, from, place, tiles);
    } else {
      const auto visible = [=, outside = zeros.data()](int i, int j) {
        const std::int64_t h = top + i, w = left + j;
        const bool inside = h >= 0 && h < e.height && w >= 0 && w < e.width;
        return inside ? from + (h * e.width + w) * e.channels : outside;
      };
      transform_input(e, visible, from, place, tiles);
    }
    tiles += tile_stride(e.channels);
  });
}

void convolve(const Extents& e, std::int64_t images, const float* x, const float* filters,
              const float* bias, float beta, float* y) {
  thread_local std::vector<float> inputs, products;
  for_tile_rows(e, images, [&](std::int64_t image, const TileRows& rows) {
    const std::int64_t tiles = rows.tiles(e);
    inputs.resize(static_cast<std::size_t>(tiles * tile_stride(e.channels)));
    products.resize(static_cast<std::size_t>(tiles * tile_stride(e.outputs)));
    transform_inputs(e, rows, x + image * e.x_size(), inputs.data());
    multiply(e, tiles, inputs.data(), filters, products.data());
    transform_outputs(e, rows, products.data(), bias, beta, y + image * e.y_size());
  });
}

}  // namespace pare::winograd
