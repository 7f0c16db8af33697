#include "compression/prune/rigl.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "compression/prune/magnitude.h"
#include "compression/prune/regrowth.h"

namespace pare {
namespace {

// The `count` first groups in an order, among those that `among` marks.
template <class Before>
std::vector<std::uint32_t> first_of(const std::vector<std::uint8_t>& among, std::int64_t count,
                                    const Before& before) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t g = 0; g < among.size(); ++g) {
    if (among[g]) order.push_back(g);
  }
  count = std::min<std::int64_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), before);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

// The share of kept weights that move in this step.
double moving_share(const Regrow& regrow, const MethodStep& step) {
  const double t =
      static_cast<double>(step.step) / static_cast<double>(regrow_end(regrow, step.span));
  return regrow.fraction.value_or(0.3) / 2 * (1 + std::cos(std::numbers::pi * t));
}

class Rigl final : public Pruner {
 public:
  bool is_update(const PruneConfig& config, const MethodStep& step) const override {
    return is_regrow_update(regrow_of(config), step);
  }

  void see_gradients(std::span<const PruneTarget> targets, const MethodStep&) override {
    gradients_.clear();
    for (const PruneTarget& target : targets)
      gradients_.push_back(group_norms(target, value_gradients(target), PruneNorm::l1));
  }

  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override {
    return magnitudes(update.targets[t], update.config);
  }

  double change(const PruneUpdate& update) override {
    if (update.count == 0) {
      first_masks(update);
    } else {
      const double share = moving_share(regrow_of(update.config), update.step);
      for (std::size_t t = 0; t < update.targets.size(); ++t) move(update, t, share);
    }
    return update.sparsity;
  }

 private:
  void first_masks(const PruneUpdate& update) const {
    std::vector<Shape> shapes;
    for (const PruneTarget& target : update.targets)
      shapes.push_back(target.parts[0].parameter->shape());
    const Regrow regrow = regrow_of(update.config);
    const bool erk =
        regrow.distribution.value_or(Regrow::Distribution::uniform) == Regrow::Distribution::erk;
    std::vector<double> densities(shapes.size(), 1 - update.sparsity);
    if (erk) densities = erdos_renyi_densities(shapes, update.sparsity);
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      const std::vector<std::vector<float>> scores = {score(update, t)};
      select(update.targets.subspan(t, 1), scores, {.sparsity = 1 - densities[t]});
    }
  }

  void move(const PruneUpdate& update, std::size_t t, double share) const {
    PruneTarget& target = update.targets[t];
    const std::int64_t kept = target.groups - target.pruned();
    const auto count = std::min(
        static_cast<std::int64_t>(std::floor(share * static_cast<double>(kept))), target.pruned());
    const std::vector<float> scores = score(update, t);
    const std::vector<std::uint8_t> before = target.keep;
    for (const std::uint32_t g :
         first_of(target.keep, count, [&](std::uint32_t a, std::uint32_t b) {
           return scores[a] != scores[b] ? scores[a] < scores[b] : a < b;
         })) {
      target.keep[g] = 0;
    }
    std::vector<std::uint8_t> masked(target.keep.size()), grown(target.keep.size());
    for (std::size_t g = 0; g < masked.size(); ++g) masked[g] = !target.keep[g];
    const std::vector<float>& gradients = gradients_[t];
    for (const std::uint32_t g : first_of(masked, count, [&](std::uint32_t a, std::uint32_t b) {
           return gradients[a] != gradients[b] ? gradients[a] > gradients[b] : a < b;
         })) {
      target.keep[g] = 1;
      grown[g] = !before[g];  // dropped just now: stays what it is, as in Evci's program
    }
    scale_latents(target, grown, 0);
  }

  std::vector<std::vector<float>> gradients_;  // of the step at hand
};

double erdos_renyi(const Shape& shape) {
  double sum = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) sum += static_cast<double>(shape[axis]);
  return sum / static_cast<double>(shape.size());
}

}  // namespace

std::vector<double> erdos_renyi_densities(std::span<const Shape> shapes, double sparsity) {
  std::vector<double> densities(shapes.size(), 1);
  std::vector<std::size_t> open(shapes.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  double kept = 0;
  for (const Shape& shape : shapes) kept += (1 - sparsity) * static_cast<double>(shape.size());
  for (bool again = true; again && !open.empty();) {
    double raw = 0;
    for (const std::size_t t : open)
      raw += erdos_renyi(shapes[t]) * static_cast<double>(shapes[t].size());
    const double epsilon = kept / raw;
    const auto full = std::stable_partition(open.begin(), open.end(), [&](std::size_t t) {
      return epsilon * erdos_renyi(shapes[t]) <= 1;
    });
    again = full != open.end();
    for (auto it = full; it != open.end(); ++it) kept -= static_cast<double>(shapes[*it].size());
    open.erase(full, open.end());
    if (again) continue;
    for (const std::size_t t : open) densities[t] = epsilon * erdos_renyi(shapes[t]);
  }
  return densities;
}

PrunerRow rigl_row() {
  return {.name = "rigl",
          .description = "constant sparsity: small weights are dropped, others grow by gradient",
          .traits = {.sees = Sees::gradients_at_update,
                     .ranks_weights = true,
                     .comes_back = true,
                     .granularities = {PruneGranularity::element, PruneGranularity::block}},
          .make = [] { return std::unique_ptr<Pruner>(std::make_unique<Rigl>()); }};
}

}  // namespace pare
