#include "compression/quantize/levels.h"

#include <algorithm>

#include "compression/quantize/runs.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/state_list.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

using simd::Floats;

constexpr std::int64_t kTile = 1 << 13;

// Up to so many borders are compared with every x; more are searched.
constexpr std::size_t kMostCompared = 32;

std::size_t level_of(float x, const float* borders, std::size_t count) {
  return static_cast<std::size_t>(std::upper_bound(borders, borders + count, x) - borders);
}

// y = values[number of borders that are not above x]; one value more than borders.
void find_values(const float* x, float* y, std::int64_t count, std::span<const float> borders,
                 const float* values) {
  if (borders.size() > kMostCompared) {
    for (std::int64_t i = 0; i < count; ++i)
      y[i] = values[level_of(x[i], borders.data(), borders.size())];
    return;
  }
  for (std::int64_t i = 0; i < count; i += simd::kLanes) {
    const simd::Mask mask = simd::first_lanes(std::min<std::int64_t>(simd::kLanes, count - i));
    const Floats v = simd::load(x + i, mask);
    Floats found = simd::broadcast(values[0]);
    for (std::size_t k = 0; k < borders.size(); ++k)
      found = v < simd::broadcast(borders[k]) ? found : simd::broadcast(values[k + 1]);
    simd::store(y + i, found, mask);
  }
}

// dx = beta dx + dy * within or beyond.
void pass_run(const float* x, const float* dy, std::int64_t count, const Passing& p, float* dx,
              float beta) {
  const Floats within = simd::broadcast(p.within), beyond = simd::broadcast(p.beyond);
  for (std::int64_t i = 0; i < count; i += simd::kLanes) {
    const simd::Mask mask = simd::first_lanes(std::min<std::int64_t>(simd::kLanes, count - i));
    const Floats v = simd::load(x + i, mask);
    const Floats g =
        simd::load(dy + i, mask) * ((v >= p.inside.low) & (v <= p.inside.high) ? within : beyond);
    simd::store(dx + i, beta == 0 ? g : simd::load(dx + i, mask) + g, mask);
  }
}

}  // namespace

Variable straight_through(const Variable& x, Tensor y, std::vector<Passing> passing, int axis) {
  return record(
      "straight_through", std::move(y), {x},
      [in = x.value(), passing = std::move(passing), axis](const Tensor& dy, Gradients& gradients) {
        const ChannelView view = channel_view(in.shape(), axis);
        const GradientSlot dx = gradients.slot(0);
        parallel_tiles(in.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
          for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, auto c) {
            pass_run(in.data() + offset, dy.data() + offset, count, passing[c], dx.data + offset,
                     dx.beta);
          });
        });
      });
}

GridCodes Levels::codes(const Tensor& x, int axis) const {
  const ChannelView view = channel_view(x.shape(), axis);
  const std::size_t n = grid.levels.size() - 1;
  PARE_ENSURE(borders.size() == n * static_cast<std::size_t>(view.channels));
  GridCodes result(static_cast<std::size_t>(x.size()));
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      for (std::int64_t i = offset; i < offset + count; ++i) {
        result[static_cast<std::size_t>(i)] =
            grid.levels[level_of(x.data()[i], borders.data() + c * n, n)];
      }
    });
  });
  return result;
}

Tensor Levels::values(const Tensor& x, int axis) const {
  const ChannelView view = channel_view(x.shape(), axis);
  const std::size_t n = grid.levels.size() - 1;
  PARE_ENSURE(borders.size() == n * static_cast<std::size_t>(view.channels));
  StepVector<float> reals;  // [channels][levels]
  reals.reserve(grid.scales.size() * (n + 1));
  for (const float scale : grid.scales) {
    for (const std::int16_t level : grid.levels) reals.push_back(to_real(level, 0, scale));
  }
  Tensor y(x.shape());
  float* to = y.mutable_data();
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      find_values(x.data() + offset, to + offset, count, {borders.data() + c * n, n},
                  reals.data() + c * (n + 1));
    });
  });
  return y;
}

void append_middles(Levels& levels, double scale) {
  for (std::size_t k = 1; k < levels.grid.levels.size(); ++k) {
    levels.borders.push_back(
        static_cast<float>(scale * 0.5 * (levels.grid.levels[k - 1] + levels.grid.levels[k])));
  }
}

GridCodes both_signs(const std::vector<std::int16_t>& magnitudes, bool zero) {
  GridCodes levels;
  for (auto m = magnitudes.rbegin(); m != magnitudes.rend(); ++m)
    levels.push_back(static_cast<std::int16_t>(-*m));
  if (zero) levels.push_back(0);
  levels.insert(levels.end(), magnitudes.begin(), magnitudes.end());
  return levels;
}

LevelQuantizer::LevelQuantizer(const QuantizerConfig& config, QuantizerPlace place)
    : place_(std::move(place)) {
  levels_.grid.format = config.format();
  levels_.grid.format.scheme = Scheme::symmetric;
}

void LevelQuantizer::observe(const Tensor& x, const Pass&) {
  levels_.grid.scales.clear();
  levels_.grid.zero_points.clear();
  levels_.borders.clear();
  const ChannelView view = channel_view(x.shape(), place_.axis);
  StepVector<float> values;
  values.reserve(static_cast<std::size_t>(view.outer * view.inner));
  for (std::int64_t c = 0; c < view.channels; ++c) {
    values.clear();
    for (std::int64_t o = 0; o < view.outer; ++o) {
      const float* run = x.data() + (o * view.channels + c) * view.inner;
      std::copy_if(run, run + view.inner, std::back_inserter(values),
                   [](float v) { return v != 0; });
    }
    add_channel(values);
  }
}

void LevelQuantizer::add_scale(double scale) {
  append_scale(levels_.grid, scale == 0 ? 1 : scale, 0, place_.where);
}

Passing LevelQuantizer::passing(std::size_t, std::int64_t) const { return {kEverything}; }

Variable LevelQuantizer::quantize(const Variable& x, const Pass&) {
  PARE_ENSURE(ready());
  std::vector<Passing> all;
  const std::int64_t count = x.shape().size() / place_.channels;
  for (std::size_t c = 0; c < levels_.grid.scales.size(); ++c) all.push_back(passing(c, count));
  return straight_through(x, levels_.values(x.value(), place_.axis), std::move(all), place_.axis);
}

void LevelQuantizer::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visit_list(prefix + "/scales", levels_.grid.scales, visitor);
  visit_list(prefix + "/borders", levels_.borders, visitor);
  // What does not fit (channels were taken out) is made anew of the next tensor.
  const auto channels = static_cast<std::size_t>(place_.channels);
  const bool fits = levels_.grid.scales.size() == channels &&
                    levels_.borders.size() == channels * (levels_.grid.levels.size() - 1);
  if (!fits) levels_.grid.scales.clear(), levels_.borders.clear();
  levels_.grid.zero_points.assign(levels_.grid.scales.size(), 0);
}

}  // namespace pare
