// "kind": "quantize": fake-quantizers in the weights' chains and on the edges.
#pragma once

#include "compression/attach.h"
#include "compression/method.h"

namespace pare {

struct CalibrationConfig {
  std::int64_t images = 1024;
  void describe(config::Object& o);
};

struct QuantizeConfig {
  std::optional<WeightQuantizerConfig> weights = WeightQuantizerConfig();
  std::optional<ActivationQuantizerConfig> activations = ActivationQuantizerConfig();
  double freeze_statistics_at = 0.5;
  double delay = 0;
  std::optional<double> freeze_observers_at;
  CalibrationConfig calibration;

  void describe(config::Object& o);
};

class QuantizeMethod final : public Method {
 public:
  QuantizeMethod(QuantizeConfig config, Composition composition)
      : config_(std::move(config)), composition_(composition) {}

  void attach(Network& network) override;
  void adopt(Network& network) override;
  void release(Network& network) override;
  void before_step(const MethodStep& step) override;
  bool at_target() const override { return !config_.activations || activations_on_; }
  std::int64_t calibration_images() const override { return config_.calibration.images; }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  void apply_state();

  QuantizeConfig config_;
  Composition composition_;
  Network* network_ = nullptr;
  std::vector<Parameter*> weights_;
  std::int64_t statistics_frozen_ = 0;
  std::int64_t observers_frozen_ = 0;
  std::int64_t activations_on_ = 1;
};

}  // namespace pare
