#include "compression/quantize_method.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/equalize.h"
#include "compression/fold.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "compression/quantize_choice.h"
#include "compression/sign_edges.h"
#include "framework/base/error.h"
#include "framework/config/object.h"
#include "layers/batch_norm.h"
#include "layers/weighted.h"

namespace pare {

void CalibrationConfig::describe(config::Object& o) {
  o.integer("images", images, {.min = 1},
            "how many a phase of 0 epochs observes, taken from the training set by seed");
}

void OverrideConfig::describe(config::Object& o) {
  o.text("match", match, "pattern over node names; the first override that matches counts");
  o.require("match");
  o.object("weights", weights, "in place of the method's; null: they stay float");
  o.object("activations", activations,
           "of the edge behind the node or its group, in place of the method's; null: float");
  if (o.rank("weights")) sets_weights = true;
  if (o.rank("activations")) sets_activations = true;
  if (!sets_weights && !sets_activations) o.fail("", "expected 'weights' or 'activations' or both");
}

namespace {

void require_one_grid(const config::Object& o, const std::string& path,
                      const std::optional<ActivationQuantizerConfig>& activations) {
  if (activations && activations->granularity == Granularity::per_channel) {
    o.fail(path + ".granularity", "an activation has one grid; expected per_tensor");
  }
}

void require_signs_fit(const Network& network, const std::string& node) {
  const std::string fault = sign_fault(network, node);
  if (!fault.empty())
    throw ConfigError(fmt::format("activations: the signs of '{}': {}", node, fault));
}

// An override on top of the method's own keys. What it does not set is not written.
config::Type<OverrideConfig> override_type(const QuantizeConfig& method) {
  const config::Type<OverrideConfig> plain = config::object<OverrideConfig>();
  config::Type<OverrideConfig> type = plain;
  type.read = [plain, &method](const config::Node& node, OverrideConfig& x) {
    x.weights = method.weights;
    x.activations = method.activations;
    plain.read(node, x);
  };
  type.write = [plain](const OverrideConfig& x) {
    config::Json json = plain.write(x);
    if (!x.sets_weights) json.erase("weights");
    if (!x.sets_activations) json.erase("activations");
    return json;
  };
  return type;
}

}  // namespace

std::string QuantizeConfig::acts_on_calibration() const {
  return correct_bias ? "correct_bias" : equalize ? "equalize" : adaround ? "adaround" : "";
}

bool QuantizeConfig::leaves_floats() const {
  return std::any_of(overrides.begin(), overrides.end(), [](const OverrideConfig& x) {
    return (x.sets_weights && !x.weights) || (x.sets_activations && !x.activations);
  });
}

std::string QuantizeConfig::float_only() const {
  const auto of = [](const std::string& path, const auto& config) {
    const std::string reason = config ? config->float_only() : "";
    return reason.empty() ? reason : path + "." + reason;
  };
  std::vector<std::string> reasons = {of("weights", weights), of("activations", activations)};
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    const std::string path = fmt::format("overrides[{}].", i);
    if (overrides[i].sets_weights) reasons.push_back(of(path + "weights", overrides[i].weights));
    if (overrides[i].sets_activations)
      reasons.push_back(of(path + "activations", overrides[i].activations));
  }
  std::erase(reasons, "");
  return reasons.empty() ? "" : reasons.front();
}

void QuantizeConfig::describe(config::Object& o) {
  o.object("weights", weights, "how weights are quantized; null: not at all");
  o.object("activations", activations, "how activations are quantized; null: not at all");
  o.integer("first_last_bits", first_last_bits, {.min = 2, .max = 8},
            "bits of the first and the last node's weights and of the activations that enter them "
            "(the network's input and output keep 8); null: as the others");
  o.field("overrides", overrides, config::list(override_type(*this)),
          "other quantizers for some nodes");
  o.choice("batch_norm", batch_norm,
           {{"absorb", BatchNormUse::absorb}, {"fold", BatchNormUse::fold}},
           "absorb: into the integers' multipliers and biases, live in training; fold: into weights "
           "and biases at the start of the phase, for good");
  o.real("freeze_statistics_at", freeze_statistics_at, {.min = 0, .max = 1},
         "fraction of the phase after which batch norm uses its running statistics; 1: never");
  o.real("delay", delay, {.min = 0},
         "epochs of the phase before activations are quantized (they are observed)");
  o.real("freeze_observers_at", freeze_observers_at, {.min = 0},
         "epochs of the phase after which ranges stay; null: never");
  o.boolean("correct_bias", correct_bias,
            "at the end of a calibration: biases take back the mean error of their layer's output");
  o.boolean("equalize", equalize,
            "at the start of a calibration: neighbouring layers share their channels' ranges");
  o.field("adaround", adaround, config::switched<AdaRoundConfig>(),
          "at the end of a calibration: weights of uniform round up or down as suits their layer's "
          "output");
  o.real("error_penalty", error_penalty, {.min = 0},
         "lambda of lambda * sum (x - q(x))^2 in the loss's gradient, of weights and activations");
  o.object("calibration", calibration, "post-training quantization");
  if (!weights && !activations)
    o.fail("weights", "weights and activations are both null: there is nothing to quantize");
  require_one_grid(o, "activations", activations);
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    require_one_grid(o, fmt::format("overrides[{}].activations", i), overrides[i].activations);
  }
}

void QuantizeMethod::attach(Network& network) {
  network_ = &network;
  if (config_.batch_norm == BatchNormUse::fold) network = fold_batch_norms(network);
  if (config_.equalize) equalize(network);
  const QuantizeChoice choice(config_, network);
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    const auto config = weighted ? choice.weights(node.name) : std::nullopt;
    if (!config) continue;
    attach_weight_quantizers({&weighted->weight()}, composition_, *config);
    weights_.push_back(&weighted->weight());
  }
  if (config_.correct_bias) require_biases(network);
  if (quantizes_activations()) {
    attach_activation_quantizers(network, [&](const std::string& node) {
      const auto config = choice.activations(node);
      if (config && config->quantizer == "binary") require_signs_fit(network, node);
      return config;
    });
  }
  penalize();
}

bool QuantizeMethod::quantizes_activations() const {
  return config_.activations ||
         std::any_of(config_.overrides.begin(), config_.overrides.end(),
                     [](const OverrideConfig& x) { return x.sets_activations && x.activations; });
}

void QuantizeMethod::adopt(Network& network) {
  network_ = &network;
  weights_.clear();
  const QuantizeChoice choice(config_, network);
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    if (weighted && choice.weights(node.name)) weights_.push_back(&weighted->weight());
  }
  apply_state();
  penalize();
}

void QuantizeMethod::release(Network& network) {
  detach(weights_, kWeightQuantizer);
  weights_.clear();
  if (quantizes_activations()) detach_activation_quantizers(network);
  statistics_frozen_ = 0;
  apply_state();
  network_ = nullptr;
}

void QuantizeMethod::after_calibration(const ShowImages& show) {
  if (config_.adaround) round_adaptively(*network_, *config_.adaround, show);
  if (config_.correct_bias) correct_biases(*network_, show);
}

void QuantizeMethod::penalize() {
  if (config_.error_penalty == 0) return;
  for (const NetworkNode& node : network_->nodes()) {
    if (auto* activation = dynamic_cast<ActivationQuantizer*>(node.module.get()))
      activation->penalize(config_.error_penalty);
  }
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
