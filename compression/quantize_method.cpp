#include "compression/quantize_method.h"

#include <fmt/format.h>

#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "layers/batch_norm.h"

namespace pare {

void CalibrationConfig::describe(config::Object& o) {
  o.integer("images", images, {.min = 1},
            "how many a phase of 0 epochs observes, taken from the training set by seed");
}

void QuantizeConfig::describe(config::Object& o) {
  o.object("weights", weights, "how weights are quantized; null: not at all");
  o.object("activations", activations, "how activations are quantized; null: not at all");
  o.real("freeze_statistics_at", freeze_statistics_at, {.min = 0, .max = 1},
         "fraction of the phase after which batch norm uses its running statistics; 1: never");
  o.real("delay", delay, {.min = 0},
         "epochs of the phase before activations are quantized (they are observed)");
  o.real("freeze_observers_at", freeze_observers_at, {.min = 0},
         "epochs of the phase after which ranges stay; null: never");
  o.object("calibration", calibration, "post-training quantization");
  if (!weights && !activations)
    o.fail("weights", "weights and activations are both null: there is nothing to quantize");
  if (activations && activations->granularity == Granularity::per_channel) {
    o.fail("activations.granularity", "an activation has one grid; expected per_tensor");
  }
}

void QuantizeMethod::attach(Network& network) {
  network_ = &network;
  if (config_.weights) {
    weights_ = select_weights(network, {});
    attach_weight_quantizers(weights_, composition_, *config_.weights);
  }
  if (config_.activations) attach_activation_quantizers(network, *config_.activations);
}

void QuantizeMethod::adopt(Network& network) {
  network_ = &network;
  if (config_.weights) weights_ = select_weights(network, {});
}

void QuantizeMethod::release(Network& network) {
  detach(weights_, kWeightQuantizer);
  weights_.clear();
  if (config_.activations) detach_activation_quantizers(network);
  statistics_frozen_ = 0;
  apply_state();
  network_ = nullptr;
}

void QuantizeMethod::before_step(const MethodStep& step) {
  if (!step.applied_here) return;
  const double epoch = static_cast<double>(step.step) / step.span.steps_per_epoch;
  const double fraction = static_cast<double>(step.step) / static_cast<double>(step.span.steps);
  const std::int64_t before[] = {activations_on_, observers_frozen_, statistics_frozen_};
  activations_on_ = epoch >= config_.delay;
  observers_frozen_ = config_.freeze_observers_at && epoch >= *config_.freeze_observers_at;
  statistics_frozen_ = statistics_frozen_ || (config_.freeze_statistics_at < 1 &&
                                              fraction >= config_.freeze_statistics_at);
  if (before[0] != activations_on_ || before[1] != observers_frozen_ ||
      before[2] != statistics_frozen_)
    apply_state();
}

void QuantizeMethod::apply_state() {
  for (const NetworkNode& node : network_->nodes()) {
    if (auto* activation = dynamic_cast<ActivationQuantizer*>(node.module.get())) {
      activation->switch_on(activations_on_ != 0);
      activation->freeze_observer(observers_frozen_ != 0);
    } else if (auto* batch_norm = dynamic_cast<BatchNorm*>(node.module.get())) {
      batch_norm->freeze_statistics(statistics_frozen_ != 0);
    }
  }
  for (Parameter* parameter : weights_) {
    if (auto* quantizer = dynamic_cast<WeightQuantizer*>(parameter->find(kWeightQuantizer))) {
      quantizer->freeze_observer(observers_frozen_ != 0);
    }
  }
}

std::string QuantizeMethod::status() const {
  const auto bits = [](const auto& config) {
    return config ? std::to_string(config->bits) : std::string("32");
  };
  return fmt::format("W{}A{}", bits(config_.weights), bits(config_.activations));
}

void QuantizeMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.integer(prefix + "/statistics_frozen", statistics_frozen_);
  visitor.integer(prefix + "/observers_frozen", observers_frozen_);
  visitor.integer(prefix + "/activations_on", activations_on_);
  apply_state();
}

}  // namespace pare
