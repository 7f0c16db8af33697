#include "compression/quantize/fake_quantize.h"

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

// What a run of elements of one channel needs.
struct ChannelGrid {
  double reciprocal;
  float scale, low, high;  // codes with the zero point removed, as floats
  PassRange pass;
};

std::vector<ChannelGrid> prepare(const Grid& grid) {
  std::vector<ChannelGrid> channels;
  for (std::size_t c = 0; c < grid.scales.size(); ++c) {
    const std::int32_t qmin = grid.format.qmin(), qmax = grid.format.qmax(),
                       z = grid.zero_points[c];
    channels.push_back({1.0 / static_cast<double>(grid.scales[c]), grid.scales[c],
                        static_cast<float>(qmin - z), static_cast<float>(qmax - z),
                        pass_range(grid.scales[c], z, qmin, qmax)});
  }
  return channels;
}

constexpr int kBlock = 32;

// A code with its zero point removed -> the real value; + 0: never -0.
inline float value_of(float code, const ChannelGrid& g) {
  code = code < g.low ? g.low : code;
  code = code > g.high ? g.high : code;
  return code * g.scale + 0.0f;
}

// floor(x * r + 0.5) in double, as to_code does; clamp and product are exact or rounded once in
// float. A NaN stays one.
void forward_exactly(const float* x, float* y, std::int64_t count, const ChannelGrid& g) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = value_of(
        static_cast<float>(__builtin_floor(static_cast<double>(x[i]) * g.reciprocal + 0.5)), g);
  }
}

// The same in float, three times as fast, for a block that has no value near the border between two
// codes; false (and y unspecified) where it has. Within the range that is not clamped, |x * r| <
// 256, float is wrong by less than 2^-13, so a fraction further than 2^-12 from 0 and 1 gives the
// same code.
bool forward_block(const float* x, float* y, const ChannelGrid& g) {
  constexpr float kMargin = 0x1p-12f;
  const auto reciprocal = static_cast<float>(g.reciprocal);
  int near = 0;
  for (int i = 0; i < kBlock; ++i) {
    const float shifted = x[i] * reciprocal + 0.5f;
    const float code = __builtin_floorf(shifted);
    const float fraction = shifted - code;
    near |= static_cast<int>(fraction < kMargin) | static_cast<int>(fraction > 1 - kMargin);
    y[i] = value_of(code, g);
  }
  return near == 0;
}

void forward_run(const float* x, float* y, std::int64_t count, const ChannelGrid& g) {
  const bool normal = std::isnormal(static_cast<float>(g.reciprocal));
  std::int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    if (!normal || !forward_block(x + i, y + i, g)) forward_exactly(x + i, y + i, kBlock, g);
  }
  forward_exactly(x + i, y + i, count - i, g);
}

void backward_run(const float* x, const float* dy, std::int64_t count, const ChannelGrid& g,
                  GradientSlot dx, std::int64_t offset) {
  float* out = dx.data + offset;
  if (dx.beta == 0) {
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = x[i] >= g.pass.low && x[i] <= g.pass.high ? dy[i] : 0.0f;
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      out[i] += x[i] >= g.pass.low && x[i] <= g.pass.high ? dy[i] : 0.0f;
  }
}

// Calls run(offset, count, channel) for runs that lie in one channel each, in parallel over
// shape-sized tiles.
template <class Run>
void for_each_run(const ChannelView& view, const Run& run) {
  constexpr std::int64_t kTile = 1 << 14;
  const std::int64_t size = view.outer * view.channels * view.inner;
  if (view.channels == 1) {
    parallel_tiles(size, kTile,
                   [&](std::int64_t begin, std::int64_t end) { run(begin, end - begin, 0); });
    return;
  }
  const std::int64_t rows = view.outer * view.channels;
  const std::int64_t rows_per_tile = std::max<std::int64_t>(1, kTile / view.inner);
  parallel_tiles(rows, rows_per_tile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      run(row * view.inner, view.inner, row % view.channels);
  });
}

}  // namespace

Variable fake_quantize(const Variable& x, const Grid& grid, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  PARE_ENSURE(view.channels == grid.channels());
  std::vector<ChannelGrid> channels = prepare(grid);
  Tensor y(x.shape());
  const float* from = x.value().data();
  float* to = y.mutable_data();
  for_each_run(view, [&](std::int64_t offset, std::int64_t count, std::int64_t c) {
    forward_run(from + offset, to + offset, count, channels[static_cast<std::size_t>(c)]);
  });
  return record("fake_quantize", std::move(y), {x},
                [in = x.value(), view, channels = std::move(channels)](const Tensor& dy,
                                                                       Gradients& gradients) {
                  const GradientSlot dx = gradients.slot(0);
                  for_each_run(view, [&](std::int64_t offset, std::int64_t count, std::int64_t c) {
                    backward_run(in.data() + offset, dy.data() + offset, count,
                                 channels[static_cast<std::size_t>(c)], dx, offset);
                  });
                });
}

std::vector<std::int8_t> codes_of(const Tensor& x, const Grid& grid, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  PARE_ENSURE(view.channels == grid.channels());
  std::vector<std::int8_t> codes(static_cast<std::size_t>(x.size()));
  for_each_run(view, [&](std::int64_t offset, std::int64_t count, std::int64_t channel) {
    const auto c = static_cast<std::size_t>(channel);
    const double r = 1.0 / static_cast<double>(grid.scales[c]);
    for (std::int64_t i = offset; i < offset + count; ++i) {
      codes[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(
          to_code(x.data()[i], r, grid.zero_points[c], grid.format.qmin(), grid.format.qmax()));
    }
  });
  return codes;
}

}  // namespace pare
