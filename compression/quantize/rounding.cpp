#include "compression/quantize/rounding.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/runs.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/parameter.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 13;

// A value that lies on the grid, up to float32's rounding, keeps its code.
constexpr double kOnGrid = 0x1p-10;

double rounded(double x, RoundingMode mode) {
  if (mode == RoundingMode::floor) return std::floor(x + kOnGrid);
  return std::copysign(std::floor(std::fabs(x) + kOnGrid), x);  // truncate
}

// Calls each(i, channel) for all elements, in tiles.
template <class Each>
void for_each(const Tensor& x, int axis, const Each& each) {
  const ChannelView view = channel_view(x.shape(), axis);
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      for (std::int64_t i = offset; i < offset + count; ++i) each(i, c);
    });
  });
}

std::int16_t clamped(double code, const Grid& grid, std::size_t c) {
  return static_cast<std::int16_t>(
      std::clamp<double>(code + grid.zero_points[c], grid.format.qmin(), grid.format.qmax()));
}

GridCodes stochastic_codes(const Tensor& x, const Grid& grid, int axis, std::string_view where,
                           const Pass& pass) {
  const Random start(pass.seed, Stream::round, pass.step, name_hash(where));
  const ChannelView view = channel_view(x.shape(), axis);
  GridCodes codes(static_cast<std::size_t>(x.size()));
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    Random random = start;
    random.skip(static_cast<std::uint64_t>(begin));
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      for (std::int64_t i = offset; i < offset + count; ++i) {
        const double position =
            static_cast<double>(x.data()[i]) / static_cast<double>(grid.scales[c]);
        const double nearest = std::floor(position + 0.5);
        const bool on_grid = std::abs(position - nearest) < kOnGrid;
        const double u = static_cast<double>(random.uniform());
        codes[static_cast<std::size_t>(i)] =
            clamped(on_grid ? nearest : std::floor(position + u), grid, c);
      }
    });
  });
  return codes;
}

}  // namespace

GridCodes codes_rounded(const Tensor& x, const Grid& grid, int axis, RoundingMode mode) {
  if (mode == RoundingMode::nearest || mode == RoundingMode::stochastic)
    return codes_of(x, grid, axis);
  GridCodes codes(static_cast<std::size_t>(x.size()));
  for_each(x, axis, [&](std::int64_t i, std::size_t c) {
    const double position = static_cast<double>(x.data()[i]) / static_cast<double>(grid.scales[c]);
    codes[static_cast<std::size_t>(i)] = clamped(rounded(position, mode), grid, c);
  });
  return codes;
}

Variable fake_quantize_rounded(const Variable& x, const Grid& grid, int axis, RoundingMode mode,
                               std::string_view where, const Pass& pass) {
  const bool draws = mode == RoundingMode::stochastic && pass.training();
  if (mode == RoundingMode::nearest || (mode == RoundingMode::stochastic && !draws))
    return fake_quantize(x, grid, axis);
  const Tensor& values = x.value();
  const GridCodes codes = draws ? stochastic_codes(values, grid, axis, where, pass)
                                : codes_rounded(values, grid, axis, mode);
  Tensor y(values.shape());
  float* to = y.mutable_data();
  for_each(values, axis, [&](std::int64_t i, std::size_t c) {
    to[i] = to_real(codes[static_cast<std::size_t>(i)], grid.zero_points[c], grid.scales[c]);
  });
  return record("fake_quantize_rounded", std::move(y), {x},
                [values, grid, axis](const Tensor& dy, Gradients& gradients) {
                  std::vector<PassRange> pass_ranges;
                  for (std::size_t c = 0; c < grid.scales.size(); ++c) {
                    pass_ranges.push_back(pass_range(grid.scales[c], grid.zero_points[c],
                                                     grid.format.qmin(), grid.format.qmax()));
                  }
                  const GradientSlot dx = gradients.slot(0);
                  for_each(values, axis, [&](std::int64_t i, std::size_t c) {
                    const float v = values.data()[i];
                    const bool passes = v >= pass_ranges[c].low && v <= pass_ranges[c].high;
                    dx.data[i] = (dx.beta == 0 ? 0.0f : dx.data[i]) + (passes ? dy.data()[i] : 0);
                  });
                });
}

}  // namespace pare
