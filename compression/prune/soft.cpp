#include "compression/prune/soft.h"

#include <algorithm>

#include "compression/prune/magnitude.h"

namespace pare {
namespace {

Schedule factor_of(const PruneConfig& config) {
  return config.factor.value_or(Schedule::constant(0.5));
}

class Soft final : public Pruner {
 public:
  bool is_update(const PruneConfig& config, const MethodStep& step) const override {
    return config.sparsity.is_update(step.step, step.span) ||
           factor_of(config).is_update(step.step, step.span);
  }

  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override {
    return magnitudes(update.targets[t], update.config);
  }

  double change(const PruneUpdate& update) override {
    const Schedule factor = factor_of(update.config);
    const double alpha = factor.at(update.step.step, update.step.span);
    const double reached = Pruner::change(update);
    if (reached == update.config.sparsity.target() && alpha == factor.target()) return reached;
    for (PruneTarget& target : update.targets) {
      std::vector<std::uint8_t> decays(target.keep.size());
      for (std::size_t g = 0; g < decays.size(); ++g) decays[g] = !target.keep[g];
      scale_latents(target, decays, static_cast<float>(alpha));
      std::fill(target.keep.begin(), target.keep.end(), 1);
    }
    return kNotForGood;
  }
};

}  // namespace

PrunerRow soft_row() {
  return {.name = "soft",
          .description = "what scores lowest decays, W' = alpha W, and is masked at the end",
          .traits = {.ranks_weights = true,
                     .comes_back = true,
                     .granularities = {PruneGranularity::element, PruneGranularity::neuron,
                                       PruneGranularity::filter, PruneGranularity::channel,
                                       PruneGranularity::block}},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Soft>()); }};
}

}  // namespace pare
