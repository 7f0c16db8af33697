#include "compression/quantize/observer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

// A range that widens over 16 lanes so that the compiler can keep it in vector registers. A NaN
// makes the range NaN, which the grid refuses by name.
Range range_of(const float* x, std::int64_t count) {
  constexpr int kLanes = 16;
  float low[kLanes] = {}, high[kLanes] = {};
  std::int64_t i = 0;
  bool nan = false;
  for (; i + kLanes <= count; i += kLanes) {
    int bad = 0;
    for (int lane = 0; lane < kLanes; ++lane) {
      const float v = x[i + lane];
      low[lane] = v < low[lane] ? v : low[lane];
      high[lane] = v > high[lane] ? v : high[lane];
      bad |= v != v;
    }
    nan |= bad != 0;
  }
  for (; i < count; ++i) {
    low[0] = std::min(low[0], x[i]);
    high[0] = std::max(high[0], x[i]);
    nan |= x[i] != x[i];
  }
  Range range{*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
  if (nan) range.low = range.high = std::numeric_limits<float>::quiet_NaN();
  return range;
}

Range hull(Range a, Range b) {
  if (a.low != a.low || b.low != b.low) return {std::numeric_limits<float>::quiet_NaN(), 0};
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// The range as state of a checkpoint: a tensor [channels, 2], empty before the first observation.
void visit_ranges(const std::string& name, std::vector<Range>& ranges, StateVisitor& visitor) {
  std::vector<std::uint8_t> bytes(ranges.size() * sizeof(Range));
  std::memcpy(bytes.data(), ranges.data(), bytes.size());
  visitor.bytes(name, bytes);
  ranges.resize(bytes.size() / sizeof(Range));
  std::memcpy(ranges.data(), bytes.data(), bytes.size());
}

// An observer whose state is one range per channel.
class RangeObserver : public Observer {
 public:
  std::span<const Range> ranges() const override { return ranges_; }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    visit_ranges(prefix + "/range", ranges_, visitor);
  }

 protected:
  std::vector<Range> ranges_;
};

// The range of the tensor at hand.
class MinMax final : public RangeObserver {
 public:
  void observe(const Tensor& x, int axis) override { ranges_ = channel_ranges(x, axis); }
  bool stateless() const override { return true; }
};

// Exponential moving average of the batches' ranges (Jacob et al. 2018, section 3.1): the first
// batch sets it.
class EmaMinMax final : public RangeObserver {
 public:
  explicit EmaMinMax(double decay) : decay_(decay) {}
  void observe(const Tensor& x, int axis) override {
    const std::vector<Range> now = channel_ranges(x, axis);
    if (ranges_.empty()) {
      ranges_ = now;
      return;
    }
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
  void observe(const Tensor& x, int axis) override {
    const std::vector<Range> now = channel_ranges(x, axis);
    if (ranges_.empty()) ranges_.resize(now.size());
    for (std::size_t c = 0; c < now.size(); ++c) ranges_[c] = hull(ranges_[c], now[c]);
  }
};

}  // namespace

std::vector<Range> channel_ranges(const Tensor& x, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  const float* data = x.data();
  std::vector<Range> ranges(static_cast<std::size_t>(view.channels));
  // Whole tensor: tiles of a fixed size; the hull does not depend on their order.
  if (view.channels == 1) {
    constexpr std::int64_t kTile = 1 << 15;
    std::vector<Range> partial(static_cast<std::size_t>((x.size() + kTile - 1) / kTile));
    parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      partial[static_cast<std::size_t>(begin / kTile)] = range_of(data + begin, end - begin);
    });
    for (const Range& part : partial) ranges[0] = hull(ranges[0], part);
    return ranges;
  }
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t c = 0; c < view.channels; ++c) {
      Range& range = ranges[static_cast<std::size_t>(c)];
      range = hull(range, range_of(data + (o * view.channels + c) * view.inner, view.inner));
    }
  }
  return ranges;
}

std::span<const ObserverRow> observer_table() {
  static const std::array<ObserverRow, 3> rows{{
      {"min_max", "smallest and largest value of the tensor at hand",
       [](const ObserverOptions&) -> std::unique_ptr<Observer> {
         return std::make_unique<MinMax>();
       }},
      {"ema_min_max", "moving average of the batches' smallest and largest value",
       [](const ObserverOptions& o) -> std::unique_ptr<Observer> {
         return std::make_unique<EmaMinMax>(o.decay);
       }},
      {"max_abs", "smallest and largest value seen so far",
       [](const ObserverOptions&) -> std::unique_ptr<Observer> {
         return std::make_unique<MaxAbs>();
       }},
  }};
  return rows;
}

std::vector<std::string> observer_kinds() {
  std::vector<std::string> kinds;
  for (const ObserverRow& row : observer_table()) kinds.push_back(row.kind);
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
