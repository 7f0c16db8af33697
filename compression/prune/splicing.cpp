#include "compression/prune/splicing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compression/prune/magnitude.h"
#include "compression/prune/regrowth.h"

namespace pare {
namespace {

double mean_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<float>& values, double mean) {
  double sum = 0;
  for (const float v : values) {
    const double d = static_cast<double>(v) - mean;
    sum += d * d;
  }
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// The score that `pruned` groups lie below.
double quantile(std::vector<float> scores, std::int64_t pruned) {
  if (pruned <= 0) return 0;
  if (pruned >= std::ssize(scores)) return std::numeric_limits<double>::infinity();
  std::nth_element(scores.begin(), scores.begin() + pruned, scores.end());
  return scores[static_cast<std::size_t>(pruned)];
}

class Splicing final : public Pruner {
 public:
  bool is_update(const PruneConfig& config, const MethodStep& step) const override {
    return is_regrow_update(regrow_of(config), step);
  }

  double sparsity(const PruneConfig& config, const MethodStep& step) const override {
    const bool last = is_last_regrow_update(regrow_of(config), step);
    return last ? config.sparsity.target() : config.sparsity.at(step.step, step.span);
  }

  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override {
    return magnitudes(update.targets[t], update.config);
  }

  double change(const PruneUpdate& update) override {
    const Regrow regrow = regrow_of(update.config);
    if (update.config.follows_sparsity() && is_last_regrow_update(regrow, update.step)) {
      for (PruneTarget& target : update.targets)
        std::fill(target.keep.begin(), target.keep.end(), 1);
      return Pruner::change(update);
    }
    for (std::size_t t = 0; t < update.targets.size(); ++t) {
      const std::vector<float> scores = score(update, t);
      const double limit = threshold(update, scores);
      const double low = regrow.low.value_or(0.9) * limit, high = regrow.high.value_or(1.1) * limit;
      std::vector<std::uint8_t>& keep = update.targets[t].keep;
      for (std::size_t g = 0; g < keep.size(); ++g) {
        const double s = scores[g];
        keep[g] = s < low ? 0 : s >= high ? 1 : keep[g];
      }
    }
    // Weights come and go until the last change.
    return is_last_regrow_update(regrow, update.step) ? 0 : kNotForGood;
  }

 private:
  static double threshold(const PruneUpdate& update, const std::vector<float>& scores) {
    const PruneConfig& config = update.config;
    const double mean = mean_of(scores);
    if (config.threshold) return config.threshold->value * (config.threshold->of_mean ? mean : 1);
    if (config.regrow && config.regrow->c) {
      return std::max(mean + *config.regrow->c * deviation_of(scores, mean), 0.0);
    }
    return quantile(scores, quota(update.sparsity, std::ssize(scores)));
  }
};

}  // namespace

PrunerRow splicing_row() {
  return {.name = "dns",
          .description = "dynamic network surgery: small weights go, and come back when they grow",
          .traits = {.ranks_weights = true,
                     .comes_back = true,
                     .mask_gradient = false,
                     .mask_moments = false,
                     .granularities = {PruneGranularity::element, PruneGranularity::block}},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Splicing>()); }};
}

}  // namespace pare
