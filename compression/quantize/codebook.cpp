#include "compression/quantize/codebook.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "compression/quantize/clusters.h"
#include "compression/quantize/learned_range.h"
#include "compression/quantize/runs.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/random.h"
#include "framework/state_list.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 14;
// In place of a weight's entry: it has no cluster. A table of 256 levels uses the others, as many
// as int8 has that are symmetric.
constexpr std::uint8_t kFree = 255;
constexpr int kMostEntries = 255;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

class Codebook final : public Quantizer {
 public:
  Codebook(const QuantizerConfig& config, QuantizerPlace place)
      : config_(config),
        place_(std::move(place)),
        centroids_("codebook.centroids", config, with_levels(place_, config.levels)),
        homes_(Tensor::persistent(Shape{config.levels})) {
    centroids_.parameter().set_frozen(!config.train);
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

  void observe(const Tensor& x, const Pass& pass) override {
    if (!ready()) make_table(x, pass);
    if (members_.empty())
      assign(x);
    else if (stale_ != 0)
      reassign(x);
    stale_ = 0;
  }
  bool stateless() const override { return stale_ != 0; }
  bool ready() const override { return centroids_.ready(); }
  void begin_epoch() override { stale_ = config_.reassign == Reassign::epoch ? 1 : 0; }

  Variable quantize(const Variable& x, const Pass& pass) override {
    const Tensor& values = x.value();
    if (pass.training()) settle(values);
    const std::vector<float> steps = scales();
    Tensor y(values.shape());
    float* to = y.mutable_data();
    for_each_code(values, [&](std::int64_t i, std::size_t c, std::int16_t code) {
      to[i] = to_real(code, 0, steps[c]);
    });
    return record("codebook_weights", std::move(y), {x, centroids_.parameter().value(pass)},
                  [this, values](const Tensor& dy, Gradients& gradients) {
                    if (gradients.wants(1)) centroid_gradient(values, dy, gradients.slot(1));
                    if (gradients.wants(0)) latent_gradient(dy, gradients);
                  });
  }

  Grid grid() const override {
    PARE_ENSURE(ready());
    Grid grid{.format = config_.format(), .scales = {}, .zero_points = {}};
    grid.format.scheme = Scheme::symmetric;
    for (const float step : scales()) append_scale(grid, step, 0, place_.where);
    for (std::size_t k = 0; k < count(); ++k) grid.levels.push_back(level(k));
    std::sort(grid.levels.begin(), grid.levels.end());
    grid.levels.erase(std::unique(grid.levels.begin(), grid.levels.end()), grid.levels.end());
    return grid;
  }

  GridCodes codes(const Tensor& x) const override {
    GridCodes result(members_.size());
    for_each_code(x, [&](std::int64_t i, std::size_t, std::int16_t code) { result[at(i)] = code; });
    return result;
  }

  void visit_parameters(const ParameterVisitor& visit) override {
    if (config_.train) visit(centroids_.parameter());
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    centroids_.visit_state(prefix, visitor);
    visitor.bytes(prefix + "/members", members_);
    if (std::any_of(members_.begin(), members_.end(),
                    [&](std::uint8_t m) { return m >= count() && m != kFree; }))
      throw DataError(prefix + "/members: expected numbers of entries of the table, below " +
                      std::to_string(count()));
    visitor.integer(prefix + "/stale", stale_);
    visitor.integer(prefix + "/zero", zero_);
    visit_list(prefix + "/range", ranges_, visitor);
    require_none_or(prefix + "/range", ranges_.size(), place_.channels);
    if (ready() && ranges_.empty()) throw DataError(prefix + "/range: expected some, got none");
    if (config_.reassign == Reassign::epoch) visitor.tensor(prefix + "/homes", homes_);
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

  // each(i, c) of every element i, of channel c.
  template <class Each>
  void for_each(const Tensor& x, const Each& each) const {
    const ChannelView view = channel_view(x.shape(), place_.axis);
    parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t n, std::size_t c) {
        for (std::int64_t i = offset; i < offset + n; ++i) each(i, c);
      });
    });
  }

  // each(i, c, code). A weight that is 0 stays it, whatever its cluster: it is masked.
  template <class Each>
  void for_each_code(const Tensor& x, const Each& each) const {
    require_members_of(x);
    const std::vector<double> now = levels();
    const std::vector<float> steps = scales();
    for_each(x, [&](std::int64_t i, std::size_t c) {
      const float v = x.data()[i];
      const std::size_t own = members_[at(i)];
      const bool is_free = own == kFree && v != 0;
      const std::size_t k = is_free ? nearest_centroid(position(v, steps[c]), now) : own;
      each(i, c, v == 0 ? std::int16_t{0} : static_cast<std::int16_t>(now[k]));
    });
  }

  // Per channel, what a level of 1 stands for.
  std::vector<float> scales() const {
    const bool power = config_.scale == ScaleKind::power_of_two;
    std::vector<float> result;
    for (const Range& range : ranges_) {
      double scale = static_cast<double>(range.high) / top();
      if (power && scale > 0) scale = std::exp2(std::ceil(std::log2(scale)));
      result.push_back(scale <= 0 ? 1.0f : static_cast<float>(scale));
    }
    return result;
  }

  // Among the levels.
  static double position(float v, float scale) {
    return static_cast<double>(v) / static_cast<double>(scale);
  }

  std::int16_t level(std::size_t k) const {
    if (static_cast<std::int64_t>(k) == zero_) return 0;
    const double c = centroids_.parameter().latent().data()[k];
    return static_cast<std::int16_t>(std::clamp(std::floor(c * top() + 0.5), -top(), top()));
  }
  std::vector<double> levels() const {
    std::vector<double> result;
    for (std::size_t k = 0; k < count(); ++k) result.push_back(level(k));
    return result;
  }

  void require_members_of(const Tensor& x) const {
    if (members_.size() == at(x.size())) return;
    throw DataError(place_.where + ": its table has " + std::to_string(members_.size()) +
                    " members, expected " + std::to_string(x.size()));
  }

  bool some_are_free() const {
    return std::find(members_.begin(), members_.end(), kFree) != members_.end();
  }

  // Scales, then clusters of everything that is not 0. A channel of zeros, whose weights may come
  // back, has the scale of the largest weight.
  void make_table(const Tensor& x, const Pass& pass) {
    ranges_.clear();
    const std::vector<Magnitude> magnitudes = channel_magnitudes(x, place_.axis);
    double all = 0;
    for (const Magnitude& m : magnitudes) all = std::max(all, m.largest);
    for (const Magnitude& m : magnitudes) {
      const auto largest = static_cast<float>(m.largest > 0 ? m.largest : all);
      ranges_.push_back({-largest, largest});
    }
    const ChannelView view = channel_view(x.shape(), place_.axis);
    const std::vector<float> steps = scales();
    std::vector<float> values;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const float step = steps[at(i / view.inner % view.channels)];
      if (x.data()[i] != 0) values.push_back(x.data()[i] / (step * static_cast<float>(top())));
    }
    std::vector<double> found =
        cluster(std::move(values), std::min(config_.levels, kMostEntries), config_.init,
                Random(pass.seed, Stream::initialize, name_hash(place_.where), 1));
    zero_ = std::find(found.begin(), found.end(), 0.0) - found.begin();
    found.resize(count(), 0.0);  // nobody needs these: a 0 before them is as near
    centroids_.set(found);
    const std::vector<double> now = levels();
    homes_ = Tensor::from(homes_.shape(), std::vector<float>(now.begin(), now.end()));
  }

  void assign(const Tensor& x) {
    const std::vector<double> now = levels();
    const std::vector<float> steps = scales();
    members_.resize(at(x.size()));
    for_each(x, [&](std::int64_t i, std::size_t c) {
      const float v = x.data()[i];
      members_[at(i)] = v == 0 ? kFree : entry(nearest_centroid(position(v, steps[c]), now));
    });
  }

  // A weight whose cluster is not the one that k-means gave it has changed before.
  void reassign(const Tensor& x) {
    require_members_of(x);
    const std::vector<double> now = levels();
    const std::vector<double> homes(homes_.values().begin(), homes_.values().end());
    const std::vector<float> steps = scales();
    for_each(x, [&](std::int64_t i, std::size_t c) {
      const float v = x.data()[i];
      const std::size_t own = members_[at(i)];
      if (v == 0 || own == kFree) return;
      const double home = position(v, steps[c]);
      if (nearest_centroid(home, homes) != own) return;
      const double here = home + now[own] - homes[own];
      const std::size_t k = nearest_centroid(here, now);
      if (std::fabs(here - now[k]) < std::fabs(here - now[own])) members_[at(i)] = entry(k);
    });
  }

  // In training. Free weights join clusters; what becomes 0 among them is free. A tensor in which
  // all have clusters stays so: what a mask takes then keeps its cluster, and no latent weight gets
  // a gradient, which an optimizer would take for leave to move all of them (momentum, decay) while
  // a pruner ranks them.
  void settle(const Tensor& x) {
    require_members_of(x);
    if (!some_are_free()) return;
    const std::vector<double> now = levels();
    const std::vector<float> steps = scales();
    for_each(x, [&](std::int64_t i, std::size_t c) {
      std::uint8_t& own = members_[at(i)];
      const float v = x.data()[i];
      if (v == 0) own = kFree;
      if (v == 0 || own != kFree) return;
      const std::size_t k = nearest_centroid(position(v, steps[c]), now);
      if (now[k] != 0) own = entry(k);
    });
  }

  static std::uint8_t entry(std::size_t k) { return static_cast<std::uint8_t>(k); }

  // Straight through for those without a cluster, whose level follows what they become. Nothing
  // where there are none.
  void latent_gradient(const Tensor& dy, Gradients& gradients) const {
    if (!some_are_free()) return;
    const GradientSlot dx = gradients.slot(0);
    parallel_tiles(dy.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float passed = members_[at(i)] == kFree ? dy.data()[i] : 0.0f;
        dx.data[i] = dx.beta == 0 ? passed : dx.data[i] + passed;
      }
    });
  }

  // d y / d centroid = top() s[c] for its members; the pinned one does not move.
  void centroid_gradient(const Tensor& x, const Tensor& dy, GradientSlot slot) const {
    const std::vector<float> steps = scales();
    const auto tiles = at((x.size() + kTile - 1) / kTile);
    std::vector<std::vector<double>> sums(tiles, std::vector<double>(count(), 0));
    for_each(x, [&](std::int64_t i, std::size_t c) {
      if (x.data()[i] == 0 || members_[at(i)] == kFree) return;
      sums[at(i / kTile)][members_[at(i)]] +=
          static_cast<double>(dy.data()[i]) * static_cast<double>(steps[c]) * top();
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
  Tensor homes_;                       // the levels as k-means found them
  std::vector<Range> ranges_;          // per channel, from its first weights
  std::vector<std::uint8_t> members_;  // per weight: its entry, or kFree
  std::int64_t stale_ = 0;             // members are to be found anew
  std::int64_t zero_ = 0;              // the pinned centroid
};

}  // namespace

std::unique_ptr<Quantizer> make_codebook(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Codebook>(config, std::move(place));
}

}  // namespace pare
