// The keys of "kind": "quantize".
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compression/quantize_method.h"
#include "framework/config/object.h"

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

void require_one_grid(const config::Object& o, const QuantizeConfig& q) {
  const auto check = [&](const std::string& path, const auto& activations) {
    if (activations && activations->granularity == Granularity::per_channel)
      o.fail(path + ".granularity", "an activation has one grid; expected per_tensor");
  };
  check("activations", q.activations);
  for (std::size_t i = 0; i < q.overrides.size(); ++i)
    check(fmt::format("overrides[{}].activations", i), q.overrides[i].activations);
}

void require_weights(const config::Object& o, const QuantizeConfig& q) {
  const bool some =
      q.weights || std::any_of(q.overrides.begin(), q.overrides.end(),
                               [](const OverrideConfig& x) { return x.weights && x.sets_weights; });
  if (some || (!q.correct_bias && !q.adaround)) return;
  o.fail(q.correct_bias ? "correct_bias" : "adaround",
         "this method quantizes no weights; expected it of the one that does");
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

std::string QuantizeConfig::too_late(const ScheduleSpan& span) const {
  if (span.steps == 0) return "";
  const auto steps = static_cast<double>(span.steps);
  const double on = delay * span.steps_per_epoch;
  if (on > steps - 1) {  // no update would see quantized activations
    return fmt::format(
        "delay: expected an end of the delay within the phase of {} steps, got {:.0f} steps",
        span.steps, on);
  }
  // At the very end it holds for later phases. A phase's length is rounded by half a step.
  const double frozen = freeze_observers_at.value_or(0) * span.steps_per_epoch;
  if (frozen > steps + 0.5) {
    return fmt::format(
        "freeze_observers_at: expected a position within the phase of {} steps, got {:.0f} steps",
        span.steps, frozen);
  }
  return "";
}

void QuantizeConfig::describe(config::Object& o) {
  o.object("weights", weights, "how weights are quantized; null: not at all");
  o.object("activations", activations, "how activations are quantized; null: not at all");
  o.integer("first_last_bits", first_last_bits, {.min = 2, .max = 8},
            "bits of the first and the last node's weights and of the activations that enter them "
            "(the network's input and output keep 8); null: as the others");
  o.field("overrides", overrides, config::list(override_type(*this)),
          "other quantizers for some nodes");
  o.choice(
      "batch_norm", batch_norm, {{"absorb", BatchNormUse::absorb}, {"fold", BatchNormUse::fold}},
      "absorb: into the integers' multipliers and biases, live in training; fold: into weights "
      "and biases at the start of the phase, for good");
  o.real("freeze_statistics_at", freeze_statistics_at, {.min = 0, .max = 1},
         "fraction of the phase, or the end of a calibration, after which batch norm uses its "
         "running statistics, in later phases too; 1: never");
  o.real("delay", delay, {.min = 0},
         "epochs of the phase before activations are quantized (they are observed); none in a "
         "calibration");
  o.real("freeze_observers_at", freeze_observers_at, {.min = 0},
         "epochs of the phase, or the end of a calibration, after which observed ranges stay, in "
         "later phases too (0: those of the first batch); learned ranges (lsq, pact) go on; null: "
         "never");
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
  require_one_grid(o, *this);
  require_weights(o, *this);
}

}  // namespace pare
