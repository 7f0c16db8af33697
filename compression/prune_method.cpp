#include "compression/prune_method.h"

#include <fmt/format.h>

#include <cmath>

namespace pare {
namespace {

// The steps of its phase after which the pruner has nothing more to learn: behind the last change.
// A schedule is over when it has reached its target.
bool is_over(const PruneConfig& config, std::int64_t updates, double reached) {
  return updates > 0 && reached >= (config.follows_sparsity() ? config.sparsity.target() : 0);
}

}  // namespace

PruneMethod::PruneMethod(PruneConfig config, Composition composition)
    : config_(std::move(config)), composition_(composition), row_(pruner_row(config_.method)) {}

void PruneMethod::attach(Network& network) {
  targets_ = find_targets(network, config_);
  attach_masks(targets_, composition_, config_.mask_gradient.value_or(traits().mask_gradient));
  for (const PruneTarget& target : targets_) {
    for (const PrunePart& part : target.parts) {
      if (part.scored) require_rankable(*part.parameter, config_.score);
    }
  }
  start(network);
}

void PruneMethod::adopt(Network& network) {
  targets_ = find_targets(network, config_);
  adopt_masks(targets_);
  start(network);
}

void PruneMethod::start(Network&) {
  pruner_ = row_.make();
  pruner_->start(targets_);
}

void PruneMethod::release(Network&) {
  keep_value_gradients(false);
  detach_masks(targets_);
  targets_.clear();
}

bool PruneMethod::is_update(const MethodStep& step) const {
  return step.applied_here && pruner_->is_update(config_, step);
}

bool PruneMethod::changes_before_step() const {
  return traits().sees == Sees::nothing ||
         (traits().sees == Sees::gradients_at_update && updates_ == 0);
}

bool PruneMethod::sees_gradients() const {
  return watching_ &&
         (traits().sees == Sees::gradients || traits().sees == Sees::gradients_at_update);
}

void PruneMethod::before_step(const MethodStep& step) {
  const bool update = is_update(step);
  if (update && changes_before_step()) change(step);
  const bool was_watching = watching_;
  watching_ = step.applied_here && traits().sees != Sees::nothing &&
              (traits().sees == Sees::gradients_at_update ? update && updates_ > 0
                                                          : !is_over(config_, updates_, reached_));
  if (watching_ || was_watching) keep_value_gradients(sees_gradients());
}

void PruneMethod::see_output(const std::string& node, const Tensor& value) {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    for (const PruneOutput& output : targets_[t].outputs) {
      if (output.node == node) pruner_->see_output(t, output, value);
    }
  }
}

void PruneMethod::after_backward(const MethodStep& step) {
  if (sees_gradients()) pruner_->see_gradients(targets_, step);
}

void PruneMethod::after_step(const MethodStep& step) {
  const bool update = watching_ && is_update(step);
  if (update) change(step);
  // What an optimizer adds to a gradient, or a gradient that is not masked, reaches the moments of
  // masked weights in every step.
  const bool drifts =
      updates_ > 0 && (step.regularized || !config_.mask_gradient.value_or(traits().mask_gradient));
  if (drifts && !update) mask_moments(step);
}

void PruneMethod::change(const MethodStep& step) {
  const PruneUpdate update{.config = config_,
                           .targets = targets_,
                           .step = step,
                           .count = updates_,
                           .sparsity = pruner_->sparsity(config_, step)};
  reached_ = pruner_->change(update);
  ++updates_;
  store_masks(targets_);
  if (config_.rewind) step.rewind();
  mask_moments(step);
}

void PruneMethod::mask_moments(const MethodStep& step) const {
  if (!step.visit_moments || !config_.mask_moments.value_or(traits().mask_moments)) return;
  visit_masks(targets_, [&](Parameter& parameter, const Mask& mask) {
    const std::vector<std::uint8_t>& keep = mask.keep();
    step.visit_moments(parameter, [&](Tensor& moment) {
      float* values = moment.mutable_data();
      for (std::size_t i = 0; i < keep.size(); ++i) values[i] = keep[i] ? values[i] : 0.0f;
    });
  });
}

void PruneMethod::keep_value_gradients(bool keep) const {
  for (const PruneTarget& target : targets_) {
    for (const PrunePart& part : target.parts) {
      if (part.scored || part.in_effect) part.parameter->keep_value_gradient(keep);
    }
  }
}

bool PruneMethod::at_target() const {
  if (config_.rewind) return updates_ >= config_.rewind->rounds;
  return is_over(config_, updates_, reached_);
}

std::string PruneMethod::status() const {
  std::int64_t pruned = 0, size = 0;
  for (const PruneTarget& target : targets_) {
    for (const PrunePart& part : target.parts) {
      if (!part.scored) continue;
      pruned += part.mask->pruned();
      size += part.parameter->shape().size();
    }
  }
  return fmt::format("{:.1f}% zero",
                     size ? 100.0 * static_cast<double>(pruned) / static_cast<double>(size) : 0.0);
}

void PruneMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.integer(prefix + "/updates", updates_);
  visitor.real(prefix + "/reached", reached_);
  pruner_->visit_state(prefix, visitor);
}

}  // namespace pare
