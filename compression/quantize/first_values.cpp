#include "compression/quantize/first_values.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/grid.h"
#include "framework/base/parallel.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 15;

ChannelSums sums_of(const float* x, std::int64_t count) {
  ChannelSums sums;
  for (std::int64_t i = 0; i < count; ++i) {
    const double magnitude = std::fabs(static_cast<double>(x[i]));
    sums.magnitudes += magnitude;
    sums.squares += magnitude * magnitude;
    sums.largest = std::max(sums.largest, magnitude);
    sums.nonzero += magnitude != 0 ? 1 : 0;
  }
  sums.count = count;
  return sums;
}

// One channel: tiles of a fixed size, added in their order.
ChannelSums sums_in_tiles(const Tensor& x) {
  StepVector<ChannelSums> tiles(static_cast<std::size_t>((x.size() + kTile - 1) / kTile));
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    tiles[static_cast<std::size_t>(begin / kTile)] = sums_of(x.data() + begin, end - begin);
  });
  ChannelSums all;
  for (const ChannelSums& tile : tiles) all.add(tile);
  return all;
}

double ratio(double sum, std::int64_t count) {
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

void ChannelSums::add(const ChannelSums& other) {
  magnitudes += other.magnitudes;
  squares += other.squares;
  largest = std::max(largest, other.largest);
  count += other.count;
  nonzero += other.nonzero;
}

double ChannelSums::mean() const { return ratio(magnitudes, count); }
double ChannelSums::mean_without_zeros() const { return ratio(magnitudes, nonzero); }
double ChannelSums::root_mean_square_without_zeros() const {
  return std::sqrt(ratio(squares, nonzero));
}

std::vector<ChannelSums> channel_sums(const Tensor& x, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  if (view.channels == 1) return {sums_in_tiles(x)};
  std::vector<ChannelSums> sums(static_cast<std::size_t>(view.channels));
  parallel_for(view.channels, [&](std::int64_t c) {
    ChannelSums& own = sums[static_cast<std::size_t>(c)];
    for (std::int64_t o = 0; o < view.outer; ++o)
      own.add(sums_of(x.data() + (o * view.channels + c) * view.inner, view.inner));
  });
  return sums;
}

bool FirstValues::add(const Tensor& x, int axis, const Pass& pass, bool ready) {
  const bool goes_on = !sums_.empty() && pass.mode == Pass::Mode::calibrate && pass.id == pass_;
  if (ready && !goes_on) return false;
  const std::vector<ChannelSums> now = channel_sums(x, axis);
  if (!goes_on) sums_.assign(now.size(), ChannelSums());
  for (std::size_t c = 0; c < now.size(); ++c) sums_[c].add(now[c]);
  pass_ = pass.id;
  return true;
}

}  // namespace pare
