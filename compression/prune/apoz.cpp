#include "compression/prune/apoz.h"

#include <fmt/format.h>

#include "framework/base/error.h"

namespace pare {
namespace {

class Apoz final : public Pruner {
 public:
  void start(std::span<const PruneTarget> targets) override {
    for (const PruneTarget& target : targets) {
      if (!target.outputs.empty()) continue;
      throw ConfigError(
          fmt::format("method: apoz counts zeros behind a relu, and none follows '{}'; exclude it",
                      target.name));
    }
    active_.start(targets);
    seen_.start(targets);
  }

  void see_output(std::size_t t, const PruneOutput& output, const Tensor& value) override {
    const std::size_t channels = output.groups.size();
    std::vector<std::int64_t> active(channels);
    const float* x = value.data();
    const auto rows = static_cast<std::size_t>(value.size()) / channels;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < channels; ++c) active[c] += x[r * channels + c] != 0.0f;
    }
    const std::span<float> sums = active_.values(t), seen = seen_.values(t);
    for (std::size_t c = 0; c < channels; ++c) {
      const auto g = static_cast<std::size_t>(output.groups[c]);
      sums[g] += static_cast<float>(active[c]) / static_cast<float>(rows);
      seen[g] += 1;
    }
  }

  std::vector<float> score(const PruneUpdate&, std::size_t t) const override {
    std::vector<float> scores;
    const std::span<const float> sums = active_.values(t), seen = seen_.values(t);
    for (std::size_t g = 0; g < sums.size(); ++g)
      scores.push_back(seen[g] > 0 ? sums[g] / seen[g] : 0);
    return scores;
  }

  double change(const PruneUpdate& update) override {
    const double reached = Pruner::change(update);
    active_.clear();
    seen_.clear();
    return reached;
  }

  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    active_.visit_state(prefix, visitor);
    seen_.visit_state(prefix, visitor);
  }

 private:
  GroupState active_{"active"};  // sum over outputs seen of the fraction that is not zero
  GroupState seen_{"seen"};      // outputs seen
};

}  // namespace

PrunerRow apoz_row() {
  return {.name = "apoz",
          .description = "channels that are most often zero behind their relu first",
          .traits = {.sees = Sees::outputs,
                     .granularities = {PruneGranularity::neuron, PruneGranularity::filter}},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Apoz>()); }};
}

}  // namespace pare
