#include "compression/quantize/observer.h"

#include <algorithm>
#include <array>
#include <limits>

#include "compression/quantize/clip_search.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/state_list.h"

namespace pare {
namespace {

using simd::Floats;
using simd::Ints;

// Smallest and largest value, 0 included. A NaN makes the range NaN, which the grid refuses by
// name; it shows in the largest magnitude, whose bits order like integers.
Range range_of(const float* x, std::int64_t count) {
  constexpr int kUnroll = 4;  // hides the latency of a comparison
  constexpr std::int64_t kStep = kUnroll * simd::kLanes;
  Floats low[kUnroll] = {}, high[kUnroll] = {};
  Ints magnitude[kUnroll] = {};
  const auto widen = [&](int k, Floats v) {
    const Ints bits = simd::bits_of(v) & 0x7fffffff;
    low[k] = v < low[k] ? v : low[k];
    high[k] = v > high[k] ? v : high[k];
    magnitude[k] = bits > magnitude[k] ? bits : magnitude[k];
  };
  std::int64_t i = 0;
  for (; i + kStep <= count; i += kStep) {
#pragma GCC unroll 4
    for (int k = 0; k < kUnroll; ++k) widen(k, simd::load(x + i + k * simd::kLanes));
  }
  for (; i < count; i += simd::kLanes) {
    const auto lanes = std::min<std::int64_t>(simd::kLanes, count - i);
    widen(0, simd::load(x + i, simd::first_lanes(lanes)));
  }
  Range range;
  std::int32_t largest = 0;
  for (int k = 0; k < kUnroll; ++k) {
    for (int lane = 0; lane < simd::kLanes; ++lane) {
      range.low = std::min(range.low, low[k][lane]);
      range.high = std::max(range.high, high[k][lane]);
      largest = std::max(largest, magnitude[k][lane]);
    }
  }
  const bool nan = largest > 0x7f800000;
  if (nan) range.low = range.high = std::numeric_limits<float>::quiet_NaN();
  return range;
}

Range hull(Range a, Range b) {
  if (a.low != a.low || b.low != b.low) return {std::numeric_limits<float>::quiet_NaN(), 0};
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// The range of the tensor at hand.
class MinMax final : public RangeObserver {
 public:
  void observe(const Tensor& x, int axis, const Pass&) override {
    ranges_ = channel_ranges(x, axis);
  }
  bool stateless() const override { return true; }
};

void widen(StepVector<Range>& ranges, const StepVector<Range>& now) {
  if (ranges.empty()) ranges.resize(now.size());
  for (std::size_t c = 0; c < now.size(); ++c) ranges[c] = hull(ranges[c], now[c]);
}

// Exponential moving average of the batches' ranges (Jacob et al. 2018, section 3.1): the first
// batch sets it. A calibration has no first batch that should weigh most: it takes the widest.
class EmaMinMax final : public RangeObserver {
 public:
  explicit EmaMinMax(double decay) : decay_(decay) {}
  void observe(const Tensor& x, int axis, const Pass& pass) override {
    const StepVector<Range> now = channel_ranges(x, axis);
    if (ranges_.empty() || !pass.training()) return widen(ranges_, now);
    for (std::size_t c = 0; c < now.size(); ++c) {
      ranges_[c].low = static_cast<float>(decay_ * ranges_[c].low + (1 - decay_) * now[c].low);
      ranges_[c].high = static_cast<float>(decay_ * ranges_[c].high + (1 - decay_) * now[c].high);
    }
  }

 private:
  double decay_;
};

// The widest range seen so far.
class MaxAbs final : public RangeObserver {
 public:
  void observe(const Tensor& x, int axis, const Pass&) override {
    widen(ranges_, channel_ranges(x, axis));
  }
};

}  // namespace

StepVector<Range> channel_ranges(const Tensor& x, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  const float* data = x.data();
  StepVector<Range> ranges(static_cast<std::size_t>(view.channels));
  // Whole tensor: tiles of a fixed size; the hull does not depend on their order.
  if (view.channels == 1) {
    constexpr std::int64_t kTile = 1 << 15;
    StepVector<Range> partial(static_cast<std::size_t>((x.size() + kTile - 1) / kTile));
    parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      partial[static_cast<std::size_t>(begin / kTile)] = range_of(data + begin, end - begin);
    });
    for (const Range& part : partial) ranges[0] = hull(ranges[0], part);
    return ranges;
  }
  const std::int64_t tile = std::max<std::int64_t>(1, 8192 / (view.outer * view.inner + 1));
  parallel_tiles(view.channels, tile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      Range& range = ranges[static_cast<std::size_t>(c)];
      for (std::int64_t o = 0; o < view.outer; ++o) {
        range = hull(range, range_of(data + (o * view.channels + c) * view.inner, view.inner));
      }
    }
  });
  return ranges;
}

void RangeObserver::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visit_list(prefix + "/range", ranges_, visitor);
}

std::span<const ObserverRow> observer_table() {
  static const std::array<ObserverRow, 6> rows{{
      {"min_max", "smallest and largest value of the tensor at hand", true,
       [](const ObserverOptions&) -> std::unique_ptr<Observer> {
         return std::make_unique<MinMax>();
       }},
      {"ema_min_max", "moving average of the batches' smallest and largest value", true,
       [](const ObserverOptions& o) -> std::unique_ptr<Observer> {
         return std::make_unique<EmaMinMax>(o.decay);
       }},
      {"max_abs", "smallest and largest value seen so far", true,
       [](const ObserverOptions&) -> std::unique_ptr<Observer> {
         return std::make_unique<MaxAbs>();
       }},
      {"percentile", "the range without the outermost values", true, make_percentile},
      {"mse", "the range whose grid has the smallest squared error", true, make_mse},
      {"kl", "the range whose codes tell most of the distribution", false, make_kl},
  }};
  return rows;
}

std::vector<std::string> observer_kinds(bool for_weights) {
  std::vector<std::string> kinds;
  for (const ObserverRow& row : observer_table()) {
    if (row.for_weights || !for_weights) kinds.push_back(row.kind);
  }
  return kinds;
}

std::unique_ptr<Observer> make_observer(const ObserverOptions& options) {
  for (const ObserverRow& row : observer_table()) {
    if (row.kind == options.kind) return row.make(options);
  }
  PARE_ENSURE(!"observer kind was validated");
  return nullptr;
}

}  // namespace pare
