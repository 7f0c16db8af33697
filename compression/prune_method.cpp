#include "compression/prune_method.h"

#include <fmt/format.h>

#include "compression/prune/mask.h"

namespace pare {

void PruneConfig::describe(config::Object& o) {
  std::vector<std::string> names;
  for (const PrunerRow& row : pruner_table()) names.push_back(row.name);
  o.choice("method", method, names, "which weights matter least");
  o.field("sparsity", sparsity, schedule_type(ScheduleUse::sparsity),
          "fraction of the weights that become zero");
  o.require("sparsity");
  o.choice(
      "scope", scope, {{"layer", PruneScope::layer}, {"global", PruneScope::global}},
      "every layer to the same sparsity, or the least important weights of all layers together");
  o.real("min_sparsity", min_sparsity, {.min = 0, .max = 1}, "of each layer, with scope global");
  o.real("max_sparsity", max_sparsity, {.min = 0, .max = 1}, "of each layer, with scope global");
  o.list("include", include,
         "patterns over parameter paths; empty: the weights of all convolutions and dense layers");
  o.list("exclude", exclude, "patterns over parameter paths");
  o.boolean("mask_gradient", mask_gradient, "pruned weights get no gradient");
  o.boolean("mask_moments", mask_moments, "the optimizer's moments of pruned weights become zero");
  if (min_sparsity > max_sparsity) o.fail("min_sparsity", "must not be larger than max_sparsity");
  if (sparsity.target() > max_sparsity)
    o.fail("max_sparsity", "the sparsity asked for is larger, so it cannot be reached");
}

void PruneMethod::attach(Network& network) {
  const auto weights = select_weights(network, {config_.include, config_.exclude});
  targets_ = attach_masks(weights, composition_, config_.mask_gradient);
}

void PruneMethod::adopt(Network& network) {
  targets_ = find_masks(select_weights(network, {config_.include, config_.exclude}));
}

void PruneMethod::release(Network&) {
  for (const PruneTarget& target : targets_) target.parameter->remove(kMask);
  targets_.clear();
}

void PruneMethod::before_step(const MethodStep& step) {
  if (!step.applied_here || !config_.sparsity.is_update(step.step, step.span)) return;
  update(config_.sparsity.at(step.step, step.span), step);
}

void PruneMethod::update(double sparsity, const MethodStep& step) {
  const PrunerRow& row = pruner(config_.method);
  std::vector<std::vector<float>> scores;
  for (const PruneTarget& target : targets_) {
    std::vector<float>& own =
        scores.emplace_back(static_cast<std::size_t>(target.parameter->shape().size()));
    row.score(target, step.seed, static_cast<std::uint64_t>(updates_), own);
  }
  const std::int64_t changed = select(targets_, scores,
                                      {.scope = config_.scope,
                                       .sparsity = sparsity,
                                       .min_sparsity = config_.min_sparsity,
                                       .max_sparsity = config_.max_sparsity});
  ++updates_;
  reached_ = sparsity;
  if (changed > 0 && config_.mask_moments) mask_moments(step);
}

void PruneMethod::mask_moments(const MethodStep& step) const {
  if (!step.visit_moments) return;
  for (const PruneTarget& target : targets_) {
    const std::vector<std::uint8_t>& keep = target.mask->keep();
    step.visit_moments(*target.parameter, [&](Tensor& moment) {
      float* values = moment.mutable_data();
      for (std::size_t i = 0; i < keep.size(); ++i) {
        if (!keep[i]) values[i] = 0.0f;
      }
    });
  }
}

std::string PruneMethod::status() const {
  std::int64_t pruned = 0, size = 0;
  for (const PruneTarget& target : targets_) {
    pruned += target.mask->pruned();
    size += target.parameter->shape().size();
  }
  return fmt::format("{:.1f}% zero",
                     size ? 100.0 * static_cast<double>(pruned) / static_cast<double>(size) : 0.0);
}

void PruneMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.integer(prefix + "/updates", updates_);
  visitor.real(prefix + "/reached", reached_);
}

}  // namespace pare
