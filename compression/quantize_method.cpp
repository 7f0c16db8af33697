#include "compression/quantize_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compression/equalize.h"
#include "compression/fold.h"
#include "compression/quantize/weight_quantizer.h"
#include "compression/quantize_choice.h"
#include "compression/sign_edges.h"
#include "framework/base/error.h"
#include "layers/batch_norm.h"
#include "layers/weighted.h"

namespace pare {
namespace {

void require_signs_fit(const Network& network, const std::string& node) {
  const std::string fault = sign_fault(network, node);
  if (!fault.empty())
    throw ConfigError(fmt::format("activations: the signs of '{}': {}", node, fault));
}

}  // namespace

void QuantizeMethod::attach(Network& network) {
  if (config_.batch_norm == BatchNormUse::fold) network = fold_batch_norms(network);
  if (config_.equalize) equalize(network);
  const QuantizeChoice choice(config_, network);
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    const auto config = weighted ? choice.weights(node.name) : std::nullopt;
    if (!config) continue;
    attach_weight_quantizers({&weighted->weight()}, composition_, *config);
  }
  if (quantizes_activations()) {
    attach_activation_quantizers(network, [&](const std::string& node) {
      const auto config = choice.activations(node);
      if (config && config->quantizer == "binary") require_signs_fit(network, node);
      return config;
    });
  }
  take_hold(network);
  if (config_.correct_bias) require_biases(network, weights_);
}

bool QuantizeMethod::quantizes_activations() const {
  return config_.activations ||
         std::any_of(config_.overrides.begin(), config_.overrides.end(),
                     [](const OverrideConfig& x) { return x.sets_activations && x.activations; });
}

// What attach() chose once is what the same choice says now: quantizers leave groups and the nodes
// at the ends as they are.
void QuantizeMethod::take_hold(Network& network) {
  network_ = &network;
  weights_.clear();
  edges_.clear();
  const QuantizeChoice choice(config_, network);
  for (const NetworkNode& node : network.nodes()) {
    if (auto* weighted = dynamic_cast<Weighted*>(node.module.get())) {
      if (choice.weights(node.name)) weights_.push_back(&weighted->weight());
    } else if (auto* edge = dynamic_cast<ActivationQuantizer*>(node.module.get())) {
      if (choice.activations(node.inputs[0])) edges_.push_back(edge);
    }
  }
  penalize();
}

void QuantizeMethod::adopt(Network& network) {
  take_hold(network);
  apply_state();
}

void QuantizeMethod::release(Network& network) {
  detach(weights_, kWeightQuantizer);
  if (!edges_.empty()) detach_activation_quantizers(network);  // one method has them all
  weights_.clear();
  edges_.clear();
  statistics_frozen_ = 0;
  apply_state();
  network_ = nullptr;
}

void QuantizeMethod::after_calibration(const ShowImages& show) {
  Latents replaced;
  if (config_.adaround) replaced = round_adaptively(*network_, weights_, *config_.adaround, show);
  if (config_.correct_bias) correct_biases(*network_, weights_, show, replaced);
}

void QuantizeMethod::penalize() {
  if (config_.error_penalty == 0) return;
  for (ActivationQuantizer* edge : edges_) edge->penalize(config_.error_penalty);
  for (Parameter* parameter : weights_) {
    if (auto* quantizer = dynamic_cast<WeightQuantizer*>(parameter->find(kWeightQuantizer)))
      quantizer->penalize(config_.error_penalty);
  }
}

void QuantizeMethod::after_step(const MethodStep&) {
  for (Parameter* parameter : weights_) {
    auto* quantizer = dynamic_cast<WeightQuantizer*>(parameter->find(kWeightQuantizer));
    if (!quantizer || !quantizer->config().clip_latent) continue;
    const auto bound = static_cast<float>(*quantizer->config().clip_latent);
    parameter->release();  // writing needs sole ownership
    float* values = parameter->latent().mutable_data();
    for (std::int64_t i = 0; i < parameter->shape().size(); ++i)
      values[i] = std::clamp(values[i], -bound, bound);
  }
}

void QuantizeMethod::before_step(const MethodStep& step) {
  if (step.step % static_cast<std::int64_t>(step.span.steps_per_epoch) == 0) {
    for (Parameter* parameter : weights_) {
      if (auto* q = dynamic_cast<WeightQuantizer*>(parameter->find(kWeightQuantizer)))
        q->begin_epoch();
    }
  }
  if (step.applied_here) pass_thresholds(step);
  apply_state();  // also where nothing is new: a rewound network has older switches
}

void QuantizeMethod::end_phase(const MethodStep& step) {
  if (step.applied_here) pass_thresholds(step);
  apply_state();
}

// At the end of its phase a method is where it is meant to be in later ones, whatever the phase's
// length. A calibration has no other moment.
void QuantizeMethod::pass_thresholds(const MethodStep& step) {
  const bool over = step.step >= step.span.steps;
  const auto done = static_cast<double>(step.step);
  const double epoch = done / step.span.steps_per_epoch;
  const auto passed = [&](double position) { return over || epoch >= position; };
  activations_on_ = passed(config_.delay);
  observers_frozen_ = config_.freeze_observers_at && passed(*config_.freeze_observers_at);
  const bool statistics =
      over || done / static_cast<double>(step.span.steps) >= config_.freeze_statistics_at;
  statistics_frozen_ = statistics_frozen_ || (config_.freeze_statistics_at < 1 && statistics);
}

void QuantizeMethod::apply_state() {
  for (ActivationQuantizer* edge : edges_) {
    edge->switch_on(activations_on_ != 0);
    // A range that is frozen before the first batch would never be one.
    edge->freeze_observer(observers_frozen_ != 0 && edge->quantizer().ready());
  }
  for (const NetworkNode& node : network_->nodes()) {
    if (auto* batch_norm = dynamic_cast<BatchNorm*>(node.module.get()))
      batch_norm->freeze_statistics(statistics_frozen_ != 0, this);
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
  const auto state = [this] {
    return std::array{statistics_frozen_, observers_frozen_, activations_on_};
  };
  const auto before = state();
  visitor.integer(prefix + "/statistics_frozen", statistics_frozen_);
  visitor.integer(prefix + "/observers_frozen", observers_frozen_);
  visitor.integer(prefix + "/activations_on", activations_on_);
  if (state() != before) apply_state();  // a visitor that saves must change nothing
}

}  // namespace pare
