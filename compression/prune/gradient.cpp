#include "compression/prune/gradient.h"

namespace pare {
namespace {

class Gradient final : public AccumulatedScore {
 public:
  double change(const PruneUpdate& update) override {
    const double reached = Pruner::change(update);
    clear();
    return reached;
  }

 private:
  std::vector<float> added(const PruneTarget& target, const MethodStep&) const override {
    return group_norms(target, value_gradients(target), PruneNorm::l1);
  }
};

}  // namespace

void AccumulatedScore::see_gradients(std::span<const PruneTarget> targets, const MethodStep& step) {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const std::vector<float> more = added(targets[t], step);
    const std::span<float> sums = sums_.values(t);
    for (std::size_t g = 0; g < sums.size(); ++g) sums[g] += more[g];
  }
}

std::vector<float> AccumulatedScore::score(const PruneUpdate&, std::size_t t) const {
  const std::span<const float> sums = sums_.values(t);
  return {sums.begin(), sums.end()};
}

PrunerRow gradient_row() {
  return {.name = "gradient",
          .description = "smallest mean absolute gradient since the last change first",
          .traits = {.sees = Sees::gradients},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Gradient>()); }};
}

}  // namespace pare
