#include "apps/lib/auto/allocate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::size_t kUnits = 4096;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// losses[u]: the least for the layers so far at a cost of exactly u units; chosen[u]: the last
// layer's option in it.
struct Stage {
  std::vector<double> losses = std::vector<double>(kUnits + 1, kNever);
  std::vector<std::size_t> chosen = std::vector<std::size_t>(kUnits + 1, kNone);
};

std::size_t units_of(double cost, double limit) {
  const double units = std::ceil(cost / limit * static_cast<double>(kUnits));
  return units > static_cast<double>(kUnits) ? kUnits + 1 : static_cast<std::size_t>(units);
}

}  // namespace

std::optional<std::vector<std::size_t>> allocate(const std::vector<std::vector<Option>>& layers,
                                                 Cost cost, double limit) {
  PARE_ENSURE(limit > 0 && !layers.empty());
  std::vector<Stage> stages(layers.size());
  std::vector<double> before(kUnits + 1, kNever);
  before[0] = 0;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    Stage& stage = stages[layer];
    for (std::size_t k = 0; k < layers[layer].size(); ++k) {
      const std::size_t units = units_of(layers[layer][k].*cost, limit);
      for (std::size_t u = units; u <= kUnits; ++u) {
        const double loss = before[u - units] + layers[layer][k].loss;
        if (loss >= stage.losses[u]) continue;
        stage.losses[u] = loss;
        stage.chosen[u] = k;
      }
    }
    before = stage.losses;
  }
  const auto best = std::min_element(before.begin(), before.end());
  if (*best == kNever) return std::nullopt;
  auto left = static_cast<std::size_t>(best - before.begin());
  std::vector<std::size_t> plan(layers.size());
  for (std::size_t layer = layers.size(); layer-- > 0;) {
    plan[layer] = stages[layer].chosen[left];
    left -= units_of(layers[layer][plan[layer]].*cost, limit);
  }
  return plan;
}

}  // namespace pare
