#include "compression/quantize/weight_quantizer.h"

#include "compression/prune/mask.h"

namespace pare {

WeightQuantizer::WeightQuantizer(const WeightQuantizerConfig& config, const Parameter& weight)
    : config_(config),
      quantizer_(make_quantizer(config, QuantizerPlace::Use::weights, weight.path(), weight.shape(),
                                weight.channel_axis())),
      weight_(weight) {
  quantizer_->visit_parameters(
      [&](Parameter& own) { own.set_path(weight.path() + "/" + own.role()); });
}

void WeightQuantizer::visit_state(const std::string& prefix, StateVisitor& visitor) {
  quantizer_->visit_state(prefix, visitor);
  quantizer_->visit_parameters([&](Parameter& own) { own.visit_state(visitor); });
}

Variable WeightQuantizer::apply(const Variable& value, const Pass& pass) {
  const bool observes =
      quantizer_->stateless() || !quantizer_->ready() || (pass.observing() && !frozen_);
  if (observes) observe(value, pass);
  return quantizer_->quantize(value, pass);
}

// Ranges include 0, so a weight that the mask zeroes widens none: what survives is what the mask
// leaves.
void WeightQuantizer::observe(const Variable& value, const Pass& pass) {
  Transform* mask = weight_.find(kMask);
  if (config_.observe == Observed::masked || !mask) return quantizer_->observe(value.value(), pass);
  if (config_.observe == Observed::dense) return quantizer_->observe(weight_.latent(), pass);
  const NoGradient no_gradient;
  quantizer_->observe(mask->apply(Variable(weight_.latent()), pass).value(), pass);
}

}  // namespace pare
