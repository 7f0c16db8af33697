#include "compression/quantize/codebook.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "compression/quantize/learned_range.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/random.h"
#include "framework/state_list.h"

namespace pare {
namespace {

constexpr int kIterations = 30;
constexpr std::int64_t kTile = 1 << 14;

std::vector<double> first_centroids(const std::vector<float>& sorted, int count, CodebookInit init,
                                    Random random) {
  std::vector<double> centroids;
  const auto size = static_cast<double>(sorted.size());
  for (int k = 0; k < count; ++k) {
    const double part = (k + 0.5) / count;
    if (init == CodebookInit::linear) {
      centroids.push_back(sorted.front() + part * (sorted.back() - sorted.front()));
    } else if (init == CodebookInit::density) {
      centroids.push_back(sorted[static_cast<std::size_t>(part * size)]);
    } else {
      centroids.push_back(sorted[random.below(static_cast<std::uint32_t>(sorted.size()))]);
    }
  }
  std::sort(centroids.begin(), centroids.end());
  return centroids;
}

// The one nearest to 0 becomes 0.
void pin_zero(std::vector<double>& centroids) {
  *std::min_element(centroids.begin(), centroids.end(),
                    [](double a, double b) { return std::fabs(a) < std::fabs(b); }) = 0;
}

// The centroid nearest to v; of two the lower one.
std::uint8_t nearest(double v, std::span<const double> centroids) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < centroids.size(); ++k) {
    if (std::fabs(v - centroids[k]) < std::fabs(v - centroids[best])) best = k;
  }
  return static_cast<std::uint8_t>(best);
}

class Codebook final : public Quantizer {
 public:
  Codebook(const QuantizerConfig& config, QuantizerPlace place)
      : config_(config),
        place_(std::move(place)),
        centroids_("codebook.centroids", config, with_levels(place_, config.levels)) {
    centroids_.parameter().set_frozen(!config.train);
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

  void observe(const Tensor& x, const Pass& pass) override {
    if (!ready()) begin(x, pass);
    if (members_.empty() || stale_ != 0) assign(x);
  }
  bool stateless() const override { return stale_ != 0; }
  bool ready() const override { return centroids_.ready(); }
  void begin_epoch() override { stale_ = config_.reassign == Reassign::epoch ? 1 : 0; }

  Variable quantize(const Variable& x, const Pass& pass) override {
    const Tensor& values = x.value();
    const ChannelView view = channel_view(values.shape(), place_.axis);
    const GridCodes all = codes(values);
    Tensor y(values.shape());
    float* to = y.mutable_data();
    for_each(values.size(), view, [&](std::int64_t i, std::size_t c) {
      to[i] = to_real(all[static_cast<std::size_t>(i)], 0, scale(c));
    });
    return record("codebook_weights", std::move(y), {x, centroids_.parameter().value(pass)},
                  [this, values](const Tensor& dy, Gradients& gradients) {
                    if (gradients.wants(1)) centroid_gradient(values, dy, gradients.slot(1));
                    if (gradients.wants(0)) gradients.give(0, dy);
                  });
  }

  Grid grid() const override {
    PARE_ENSURE(ready());
    Grid grid{.format = config_.format(), .scales = {}, .zero_points = {}};
    grid.format.scheme = Scheme::symmetric;
    for (std::size_t c = 0; c < ranges_.size(); ++c) append_scale(grid, scale(c), 0, place_.where);
    for (std::size_t k = 0; k < count(); ++k) grid.levels.push_back(level(k));
    std::sort(grid.levels.begin(), grid.levels.end());
    grid.levels.erase(std::unique(grid.levels.begin(), grid.levels.end()), grid.levels.end());
    return grid;
  }

  // A pruned weight has no cluster: it is 0.
  GridCodes codes(const Tensor& x) const override {
    if (members_.size() != static_cast<std::size_t>(x.size())) {
      throw DataError(place_.where + ": its table has " + std::to_string(members_.size()) +
                      " members, expected " + std::to_string(x.size()));
    }
    std::vector<std::int16_t> levels;
    for (std::size_t k = 0; k < count(); ++k) levels.push_back(level(k));
    GridCodes result(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      result[i] = x.data()[i] == 0 ? std::int16_t{0} : levels[members_[i]];
    }
    return result;
  }

  void visit_parameters(const ParameterVisitor& visit) override {
    if (config_.train) visit(centroids_.parameter());
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    centroids_.visit_state(prefix, visitor);
    visitor.bytes(prefix + "/members", members_);
    if (std::any_of(members_.begin(), members_.end(), [&](auto m) { return m >= count(); }))
      throw DataError(prefix + "/members: expected numbers of entries of the table, below " +
                      std::to_string(count()));
    visitor.integer(prefix + "/stale", stale_);
    visitor.integer(prefix + "/zero", zero_);
    visit_list(prefix + "/range", ranges_, visitor);
    require_none_or(prefix + "/range", ranges_.size(), place_.channels);
    if (ready() && ranges_.empty()) throw DataError(prefix + "/range: expected some, got none");
    if (config_.train) return;  // else visited as a parameter
    centroids_.parameter().release();
    visitor.tensor(prefix + "/centroids", centroids_.parameter().latent());
  }

 private:
  static QuantizerPlace with_levels(QuantizerPlace place, int levels) {
    place.channels = levels;
    return place;
  }
  std::size_t count() const { return static_cast<std::size_t>(config_.levels); }
  double top() const { return config_.level_bits == 16 ? 32767 : 127; }  // the largest level

  template <class Each>
  static void for_each(std::int64_t size, const ChannelView& view, const Each& each) {
    parallel_tiles(size, kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        each(i, static_cast<std::size_t>(i / view.inner % view.channels));
    });
  }

  float scale(std::size_t c) const {
    const double scale = static_cast<double>(ranges_[c].high) / top();
    if (scale <= 0) return 1.0f;
    const bool power = config_.scale == ScaleKind::power_of_two;
    return static_cast<float>(power ? std::exp2(std::ceil(std::log2(scale))) : scale);
  }

  std::int16_t level(std::size_t k) const {
    if (static_cast<std::int64_t>(k) == zero_) return 0;
    const double c = centroids_.parameter().latent().data()[k];
    return static_cast<std::int16_t>(std::clamp(std::floor(c * top() + 0.5), -top(), top()));
  }

  // The table begins: scales, then clusters of everything that is not pruned.
  void begin(const Tensor& x, const Pass& pass) {
    const ChannelView view = channel_view(x.shape(), place_.axis);
    ranges_.clear();
    const std::vector<Magnitude> magnitudes = channel_magnitudes(x, place_.axis);
    for (std::size_t c = 0; c < magnitudes.size(); ++c) {
      const auto largest = static_cast<float>(magnitudes[c].largest);
      ranges_.push_back({-largest, largest});
    }
    std::vector<float> values;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto c = static_cast<std::size_t>(i / view.inner % view.channels);
      if (x.data()[i] != 0) values.push_back(x.data()[i] / (scale(c) * static_cast<float>(top())));
    }
    const std::vector<double> found =
        cluster(std::move(values), config_.levels, config_.init,
                Random(pass.seed, Stream::initialize, name_hash(place_.where), 1));
    centroids_.set(found);
    zero_ = std::find(found.begin(), found.end(), 0.0) - found.begin();
  }

  void assign(const Tensor& x) {
    const ChannelView view = channel_view(x.shape(), place_.axis);
    std::vector<double> levels;
    for (std::size_t k = 0; k < count(); ++k) levels.push_back(level(k));
    members_.resize(static_cast<std::size_t>(x.size()));
    for_each(x.size(), view, [&](std::int64_t i, std::size_t c) {
      const double position = static_cast<double>(x.data()[i]) / static_cast<double>(scale(c));
      members_[static_cast<std::size_t>(i)] = nearest(position, levels);
    });
    stale_ = 0;
  }

  // d y / d centroid = top() s[c] for its members; the pinned one does not move.
  void centroid_gradient(const Tensor& x, const Tensor& dy, GradientSlot slot) const {
    const ChannelView view = channel_view(x.shape(), place_.axis);
    const auto tiles = static_cast<std::size_t>((x.size() + kTile - 1) / kTile);
    std::vector<std::vector<double>> sums(tiles, std::vector<double>(count(), 0));
    for_each(x.size(), view, [&](std::int64_t i, std::size_t c) {
      if (x.data()[i] == 0) return;
      sums[static_cast<std::size_t>(i / kTile)][members_[static_cast<std::size_t>(i)]] +=
          static_cast<double>(dy.data()[i]) * static_cast<double>(scale(c)) * top();
    });
    for (std::size_t k = 0; k < count(); ++k) {
      double sum = 0;
      for (const std::vector<double>& part : sums) sum += part[k];
      if (static_cast<std::int64_t>(k) == zero_) sum = 0;
      slot.data[k] = (slot.beta == 0 ? 0.0f : slot.data[k]) + static_cast<float>(sum);
    }
  }

  QuantizerConfig config_;
  QuantizerPlace place_;
  LearnedSize centroids_;              // in [-1, 1]: levels are top() times that
  std::vector<Range> ranges_;          // per channel, from its first weights
  std::vector<std::uint8_t> members_;  // per weight
  std::int64_t stale_ = 0;             // members are to be found anew
  std::int64_t zero_ = 0;              // the pinned centroid
};

}  // namespace

std::vector<double> cluster(std::vector<float> values, int count, CodebookInit init,
                            Random random) {
  if (values.empty()) values = {0.0f};
  std::sort(values.begin(), values.end());
  std::vector<double> centroids = first_centroids(values, count, init, random);
  pin_zero(centroids);
  const auto zero = std::find(centroids.begin(), centroids.end(), 0.0) - centroids.begin();
  // Members of a centroid are neighbours in sorted order: each iteration walks once.
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    std::vector<double> sums(centroids.size(), 0), sizes(centroids.size(), 0);
    std::size_t k = 0;
    for (const float v : values) {
      while (k + 1 < centroids.size() &&
             std::fabs(v - centroids[k + 1]) < std::fabs(v - centroids[k]))
        ++k;
      sums[k] += static_cast<double>(v);
      ++sizes[k];
    }
    for (std::size_t c = 0; c < centroids.size(); ++c) {
      if (sizes[c] > 0 && static_cast<std::ptrdiff_t>(c) != zero) centroids[c] = sums[c] / sizes[c];
    }
  }
  return centroids;
}

std::unique_ptr<Quantizer> make_codebook(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Codebook>(config, std::move(place));
}

}  // namespace pare
