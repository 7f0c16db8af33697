#include "compression/quantize/weight_quantizer.h"

namespace pare {

Variable WeightQuantizer::apply(const Variable& value, const Pass& pass) {
  const bool observe =
      quantizer_->stateless() || !quantizer_->ready() || (pass.observing() && !frozen_);
  if (observe) quantizer_->observe(value.value());
  return quantizer_->quantize(value);
}

}  // namespace pare
