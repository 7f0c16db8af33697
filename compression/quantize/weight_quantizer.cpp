#include "compression/quantize/weight_quantizer.h"

#include "compression/prune/mask.h"

namespace pare {

Variable WeightQuantizer::apply(const Variable& value, const Pass& pass) {
  const bool observes =
      quantizer_->stateless() || !quantizer_->ready() || (pass.observing() && !frozen_);
  if (observes) observe(value, pass);
  return quantizer_->quantize(value);
}

// Ranges include 0, so a weight that the mask zeroes widens none: what survives is what the mask
// leaves.
void WeightQuantizer::observe(const Variable& value, const Pass& pass) {
  Transform* mask = weight_.find(kMask);
  if (config_.observe == Observed::masked || !mask) return quantizer_->observe(value.value());
  if (config_.observe == Observed::dense) return quantizer_->observe(weight_.latent());
  const NoGradient no_gradient;
  quantizer_->observe(mask->apply(Variable(weight_.latent()), pass).value());
}

}  // namespace pare
