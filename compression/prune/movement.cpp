#include "compression/prune/movement.h"

#include <algorithm>

#include "compression/prune/effect.h"
#include "compression/prune/gradient.h"

namespace pare {
namespace {

class Movement final : public AccumulatedScore {
 public:
  double change(const PruneUpdate& update) override {
    for (PruneTarget& target : update.targets) std::fill(target.keep.begin(), target.keep.end(), 1);
    return Pruner::change(update);
  }

 private:
  std::vector<float> added(const PruneTarget& target, const MethodStep& step) const override {
    std::vector<float> effects = first_order_effects(target);
    for (float& effect : effects) effect *= static_cast<float>(-step.learning_rate);
    return effects;
  }
};

}  // namespace

PrunerRow movement_row() {
  return {.name = "movement",
          .description = "weights that moved towards zero first; they may come back",
          .traits = {.sees = Sees::gradients, .comes_back = true},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Movement>()); }};
}

}  // namespace pare
