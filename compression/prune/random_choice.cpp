#include "compression/prune/random_choice.h"

#include "framework/random.h"

namespace pare {
namespace {

class RandomChoice final : public Pruner {
 public:
  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override {
    return random_values(update.targets[t], update);
  }
};

}  // namespace

std::vector<float> random_values(const PruneTarget& target, const PruneUpdate& update) {
  Random random(update.step.seed, Stream::prune, static_cast<std::uint64_t>(update.count),
                name_hash(target.name));
  std::vector<float> values(static_cast<std::size_t>(target.groups));
  for (float& value : values) value = random.uniform();
  return values;
}

PrunerRow random_row() {
  return {.name = "random", .description = "any weight, the baseline", .traits = {}, .make = [] {
            return std::unique_ptr<Pruner>(std::make_unique<RandomChoice>());
          }};
}

}  // namespace pare
