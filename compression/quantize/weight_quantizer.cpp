#include "compression/quantize/weight_quantizer.h"

#include "compression/prune/mask.h"
#include "compression/quantize/error_penalty.h"
#include "compression/quantize/uniform.h"
#include "framework/config/config.h"

namespace pare {

WeightQuantizer::WeightQuantizer(const WeightQuantizerConfig& config, const Parameter& weight)
    : config_(config),
      quantizer_(make_quantizer(config, QuantizerPlace::Use::weights, weight.path(), weight.shape(),
                                weight.channel_axis())),
      weight_(weight) {
  if (config.observe == Observed::survivors) leave_zeros_out(*quantizer_);
  quantizer_->visit_parameters(
      [&](Parameter& own) { own.set_path(weight.path() + "/" + own.role()); });
}

nlohmann::ordered_json WeightQuantizer::to_json() const { return config::write(config_); }

void WeightQuantizer::visit_state(const std::string& prefix, StateVisitor& visitor) {
  quantizer_->visit_state(prefix, visitor);
  visitor.integer(prefix + "/fixed", fixed_);
  quantizer_->visit_parameters([&](Parameter& own) { own.visit_state(visitor); });
}

Variable WeightQuantizer::apply(const Variable& value, const Pass& pass) {
  if (!on_) return value;
  const bool observes =
      quantizer_->stateless() || !quantizer_->ready() || (pass.observing() && !frozen_);
  if (observes && fixed_ == 0) observe(value, pass);
  const Variable quantized = quantizer_->quantize(value, pass);
  const bool penalized = lambda_ > 0 && pass.training();
  return penalized ? with_error_penalty(quantized, value, lambda_) : quantized;
}

// What survives is what the mask leaves, with zeros for the rest: ranges include 0, so that those
// widen none, and no learned step, mean or percentile of survivors counts them.
void WeightQuantizer::observe(const Variable& value, const Pass& pass) {
  Transform* mask = weight_.find(kMask);
  if (config_.observe == Observed::masked || !mask) return quantizer_->observe(value.value(), pass);
  if (config_.observe == Observed::dense) return quantizer_->observe(weight_.latent(), pass);
  const NoGradient no_gradient;
  quantizer_->observe(mask->apply(Variable(weight_.latent()), pass).value(), pass);
}

}  // namespace pare
