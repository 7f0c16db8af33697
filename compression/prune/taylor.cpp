#include "compression/prune/taylor.h"

#include <cmath>

#include "compression/prune/effect.h"
#include "compression/prune/gradient.h"

namespace pare {
namespace {

class Taylor final : public AccumulatedScore {
 public:
  double change(const PruneUpdate& update) override {
    const double reached = Pruner::change(update);
    clear();
    return reached;
  }

 private:
  std::vector<float> added(const PruneTarget& target, const MethodStep&) const override {
    std::vector<float> effects = first_order_effects(target);
    for (float& effect : effects) effect = std::fabs(effect);
    return effects;
  }
};

}  // namespace

PrunerRow taylor_row() {
  return {.name = "taylor",
          .description = "smallest first-order change of the loss since the last change first",
          .traits = {.sees = Sees::gradients},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Taylor>()); }};
}

}  // namespace pare
