#include "compression/quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "compression/quantize/observer.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/state_list.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 16;
constexpr std::size_t kAll = 2 * static_cast<std::size_t>(Histogram::kBins);

using Counts = std::array<std::int32_t, kAll>;

void tally(const float* x, std::int64_t size, double per_width, Counts& counts) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double position = std::fabs(static_cast<double>(x[i])) * per_width;
    const auto bin = static_cast<std::size_t>(std::min<double>(position, Histogram::kBins - 1));
    ++counts[x[i] < 0 ? bin : bin + Histogram::kBins];
  }
}

}  // namespace

void Histogram::add(const Tensor& x, double keep) {
  const Range now = channel_ranges(x, -1)[0];
  const double largest = std::max(-static_cast<double>(now.low), static_cast<double>(now.high));
  if (!std::isfinite(largest)) {
    range_ = now;
    return;
  }
  if (largest == 0) return;
  range_ = {std::min(range_.low, now.low), std::max(range_.high, now.high)};
  if (empty()) {
    counts_.assign(kAll, 0);
    width_ = largest / kBins;
  }
  while (largest > width_ * kBins) double_width();
  const auto tiles = static_cast<std::size_t>((x.size() + kTile - 1) / kTile);
  std::vector<Counts> partial(tiles, Counts{});
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    tally(x.data() + begin, end - begin, 1 / width_,
          partial[static_cast<std::size_t>(begin / kTile)]);
  });
  for (double& c : counts_) c *= keep;
  for (const Counts& part : partial) {
    for (std::size_t bin = 0; bin < kAll; ++bin) counts_[bin] += part[bin];
  }
}

void Histogram::double_width() {
  for (const std::size_t side : {std::size_t{0}, std::size_t{kBins}}) {
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      const std::size_t from = side + 2 * bin;
      counts_[side + bin] = 2 * bin < kBins ? counts_[from] + counts_[from + 1] : 0;
    }
  }
  width_ *= 2;
}

double Histogram::count(bool positive, int bin) const {
  return counts_[static_cast<std::size_t>(positive ? kBins + bin : bin)];
}

void Histogram::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.real(prefix + "/width", width_);
  double low = range_.low, high = range_.high;
  visitor.real(prefix + "/low", low);
  visitor.real(prefix + "/high", high);
  range_ = {static_cast<float>(low), static_cast<float>(high)};
  visit_list(prefix + "/counts", counts_, visitor);
  const bool fits = empty() || (counts_.size() == kAll && std::isfinite(width_) && width_ > 0);
  if (!fits) {
    throw DataError(prefix + ": expected no counts, or " + std::to_string(kAll) +
                    " and a width of their bins");
  }
}

}  // namespace pare
