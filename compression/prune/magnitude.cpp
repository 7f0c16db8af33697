#include "compression/prune/magnitude.h"

namespace pare {
namespace {

class Magnitude final : public Pruner {
 public:
  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override {
    return magnitudes(update.targets[t], update.config);
  }
};

}  // namespace

std::vector<float> magnitudes(const PruneTarget& target, const PruneConfig& config) {
  return group_norms(target, ranked_values(target, config.score),
                     config.norm.value_or(PruneNorm::l1));
}

PrunerRow magnitude_row() {
  return {.name = "magnitude",
          .description = "smallest absolute value, or norm, first",
          .traits = {.ranks_weights = true},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Magnitude>()); }};
}

}  // namespace pare
