// conv2d backward, images: again a convolution, of dy with the filters turned round and input and
// output channels exchanged. With strides, the input pixels fall into stride_h * stride_w phases:
// those of one phase read the same taps, and consecutive ones read consecutive pixels of dy, so
// each phase is a convolution of stride 1 with a smaller kernel.
//
// In one dimension: y[o] reads x[o * stride - pad + i]. For x[ix] write ix + pad = q * stride +
// phase; then the taps are i = phase + stride * m for m = 0, 1, ..., and tap m takes its part from
// dy[q - m].
#include <algorithm>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/conv2d.h"
#include "framework/kernels/conv2d_scatter.h"
#include "framework/kernels/padding.h"
#include "framework/kernels/tile.h"
#include "framework/kernels/winograd.h"
#include "framework/tensor/step_vector.h"
#include "framework/tensor/tensor.h"

namespace pare {
namespace {

// One dimension of one phase.
struct Phase {
  Phase(std::int64_t phase, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
        std::int64_t extent)
      : taps(phase < kernel ? (kernel - phase - 1) / stride + 1 : 0) {
    first_x = ((phase - pad) % stride + stride) % stride;
    first_q = (first_x + pad) / stride;
    count = first_x < extent ? (extent - first_x - 1) / stride + 1 : 0;
  }
  std::int64_t taps;     // of the kernel in this phase
  std::int64_t first_x;  // first input coordinate of this phase; then every stride-th
  std::int64_t first_q;  // its q; then every one
  std::int64_t count;    // input coordinates of this phase
};

// One phase in both dimensions, and its part of the filters: [groups, taps_h, taps_w, out / groups,
// channels / groups] in ascending order of dy's coordinates, that is of descending m.
struct PhaseKernel {
  Phase h, w;
  Tensor filters;
};

PhaseKernel make_phase(const ConvShape& s, std::int64_t phase_h, std::int64_t phase_w,
                       const float* weight) {
  const Window& w = s.window;
  PhaseKernel phase{Phase(phase_h, w.kernel_h, w.stride_h, w.pad_top, s.height),
                    Phase(phase_w, w.kernel_w, w.stride_w, w.pad_left, s.width), Tensor()};
  const std::int64_t channels = s.group_channels();
  const std::int64_t outputs = s.group_outputs();
  const std::int64_t taps = phase.h.taps * phase.w.taps;
  phase.filters = Tensor(Shape{s.groups, taps, outputs, channels});
  float* filters = phase.filters.mutable_data();
  parallel_for(s.groups * taps, [&](std::int64_t n) {
    const std::int64_t tap = n % taps;
    const std::int64_t i = phase_h + w.stride_h * (phase.h.taps - 1 - tap / phase.w.taps);
    const std::int64_t j = phase_w + w.stride_w * (phase.w.taps - 1 - tap % phase.w.taps);
    for (std::int64_t o = 0; o < outputs; ++o) {
      const std::int64_t filter = n / taps * outputs + o;
      std::copy_n(weight + ((filter * w.kernel_h + i) * w.kernel_w + j) * channels, channels,
                  filters + (n * outputs + o) * channels);
    }
  });
  return phase;
}

// dy of one image with a border such that every phase finds all its taps: pixel (y, x) of dy is
// data[((y + before_h) * columns + x + before_w) * out_channels].
struct PaddedGradient {
  explicit PaddedGradient(const ConvShape& s) {
    const Window& w = s.window;
    before_h = (w.kernel_h - 1) / w.stride_h;
    before_w = (w.kernel_w - 1) / w.stride_w;
    rows = std::max((s.height - 1 + w.pad_top) / w.stride_h + 1, s.out_h()) + before_h;
    columns = std::max((s.width - 1 + w.pad_left) / w.stride_w + 1, s.out_w()) + before_w;
    needed = before_h > 0 || before_w > 0 || rows > s.out_h() || columns > s.out_w();
  }
  std::int64_t before_h, before_w, rows, columns;
  bool needed;  // false: dy itself already looks like this
};

// Where the taps of an input pixel of this phase lie in dy, from the first tap on: one segment per
// row of taps, or with groups one per tap.
StepVector<std::int64_t> segments_of(const ConvShape& s, const PhaseKernel& phase,
                                     std::int64_t row_stride) {
  StepVector<std::int64_t> segments;
  for (std::int64_t i = 0; i < phase.h.taps; ++i) {
    for (std::int64_t j = 0; j < (s.groups == 1 ? 1 : phase.w.taps); ++j) {
      segments.push_back(i * row_stride + j * s.out_channels);
    }
  }
  return segments;
}

// The phase's pixels of one image, all channels of group g. dy is the padded one.
void convolve_phase(const ConvShape& s, const PhaseKernel& phase, const PaddedGradient& padding,
                    std::int64_t g, const float* dy, float* dx, float beta) {
  const std::int64_t row_stride = padding.columns * s.out_channels;
  const StepVector<std::int64_t> segments = segments_of(s, phase, row_stride);
  const std::int64_t length = s.group_outputs() * (s.groups == 1 ? phase.w.taps : 1);
  const std::int64_t channels = s.group_channels();
  const float* filters = phase.filters.data() + g * phase.filters.shape().size_from(1);
  const std::int64_t first_row = phase.h.first_q - (phase.h.taps - 1) + padding.before_h;
  const std::int64_t first_column = phase.w.first_q - (phase.w.taps - 1) + padding.before_w;
  const std::int64_t pixels = phase.h.count * phase.w.count;
  for (std::int64_t n = 0; n < channels; n += kTileColumns) {
    GatherTile tile;
    tile.columns = std::min(kTileColumns, channels - n);
    const std::int64_t tile_rows = balanced_tile(pixels, most_rows(tile.columns));
    for (std::int64_t p = 0; p < pixels; p += tile_rows) {
      tile.rows = std::min(tile_rows, pixels - p);
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const std::int64_t y = (p + r) / phase.w.count;
        const std::int64_t x = (p + r) % phase.w.count;
        tile.a[r] = dy + (first_row + y) * row_stride + (first_column + x) * s.out_channels +
                    g * s.group_outputs();
        const std::int64_t iy = phase.h.first_x + y * s.window.stride_h;
        const std::int64_t ix = phase.w.first_x + x * s.window.stride_w;
        tile.out[r] = dx + (iy * s.width + ix) * s.channels + g * channels + n;
        tile.start[r] = beta == 0 ? zero_row() : tile.out[r];
      }
      gather_product(tile, segments, length, filters + n, channels);
    }
  }
}

// The multiply-adds of a tile run in whole vectors.
std::int64_t in_lanes(std::int64_t columns) {
  return (columns + simd::kLanes - 1) / simd::kLanes * simd::kLanes;
}

// Whether adding up products (conv2d_scatter.h) is less work than gathering them here: with strides
// the phases' sums are short; with a kernel that is large beside the image most of what is gathered
// is border; with few channels much of a tile is empty.
bool scatters(const ConvShape& s) {
  const std::int64_t stride = s.window.stride_h * s.window.stride_w;
  if (s.window.taps() == 1 && stride == 1) return false;
  const std::int64_t gathered =
      s.height * s.width * s.window.taps() / stride * in_lanes(s.group_channels());
  const std::int64_t scattered = s.out_pixels() * in_lanes(s.depth());
  return stride > 1 || 4 * gathered > 5 * scattered;
}

void gather_input_gradient(const ConvShape& s, const OutputGradient& dy, const float* weight,
                           float* dx, float beta) {
  StepVector<PhaseKernel> phases;
  for (std::int64_t i = 0; i < s.window.stride_h; ++i) {
    for (std::int64_t j = 0; j < s.window.stride_w; ++j) {
      phases.push_back(make_phase(s, i, j, weight));
    }
  }
  const PaddedGradient padding(s);
  parallel_for(s.batch, [&](std::int64_t image) {
    thread_local std::vector<float> padded, scratch;
    const float* from = dy.images(image, 1, s.y_size(), scratch);
    if (padding.needed) {
      padded.resize(static_cast<std::size_t>(padding.rows * padding.columns * s.out_channels));
      copy_padded(from, s.out_h(), s.out_w(), s.out_channels, -padding.before_h, padding.rows,
                  -padding.before_w, padding.columns, padded.data());
      from = padded.data();
    }
    for (const PhaseKernel& phase : phases) {
      for (std::int64_t g = 0; g < s.groups; ++g) {
        convolve_phase(s, phase, padding, g, from, dx + image * s.image_size(), beta);
      }
    }
  });
}

void tile_input_gradient(const ConvShape& s, const OutputGradient& dy, const float* weight,
                         float* dx, float beta) {
  constexpr std::int64_t kPixels = 256;  // at least, of the images of one turn
  const winograd::Extents extents = winograd::gradient_extents(s);
  const Tensor filters = winograd::gradient_filters(s, weight);
  const std::int64_t images = std::clamp<std::int64_t>(kPixels / (s.height * s.width), 1, s.batch);
  parallel_for((s.batch + images - 1) / images, [&](std::int64_t i) {
    thread_local std::vector<float> scratch;
    const std::int64_t first = i * images, count = std::min(images, s.batch - first);
    winograd::convolve(extents, count, dy.images(first, count, s.y_size(), scratch), filters.data(),
                       nullptr, beta, dx + first * s.image_size());
  });
}

}  // namespace

void conv2d_input_gradient(const ConvShape& s, const OutputGradient& dy, const float* weight,
                           float* dx, float beta) {
  if (winograd::pays(s)) return tile_input_gradient(s, dy, weight, dx, beta);
  (scatters(s) ? scatter_input_gradient : gather_input_gradient)(s, dy, weight, dx, beta);
}

}  // namespace pare
