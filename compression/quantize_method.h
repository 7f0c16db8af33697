// "kind": "quantize": fake-quantizers in the weights' chains and on the edges.
#pragma once

#include "compression/after_calibration.h"
#include "compression/attach.h"
#include "compression/method.h"
#include "compression/quantize/activation_quantizer.h"

namespace pare {

struct CalibrationConfig {
  std::int64_t images = 1024;
  void describe(config::Object& o);
};

// Another quantizer for some nodes. Read on top of the method's own: keys that are left out are
// the method's.
struct OverrideConfig {
  std::string match;                             // pattern over node names
  std::optional<WeightQuantizerConfig> weights;  // none: they stay float
  std::optional<ActivationQuantizerConfig> activations;
  bool sets_weights = false, sets_activations = false;  // the key is there

  void describe(config::Object& o);
};

// What becomes of a batch norm behind a layer with weights.
enum class BatchNormUse {
  absorb,  // by the integers' multipliers and biases; it stays live in training
  fold,    // into weight and bias (fold.h), before anything is quantized
};

struct QuantizeConfig {
  std::optional<WeightQuantizerConfig> weights = WeightQuantizerConfig();
  std::optional<ActivationQuantizerConfig> activations = ActivationQuantizerConfig();
  std::optional<int> first_last_bits;
  std::vector<OverrideConfig> overrides;
  BatchNormUse batch_norm = BatchNormUse::absorb;
  double freeze_statistics_at = 0.5;
  double delay = 0;
  std::optional<double> freeze_observers_at;
  bool correct_bias = false;
  bool equalize = false;
  std::optional<AdaRoundConfig> adaround;
  double error_penalty = 0;
  CalibrationConfig calibration;

  void describe(config::Object& o);
  // What acts at the end of a calibration, "" where nothing does.
  std::string acts_on_calibration() const;
  // An override takes weights or activations out, so that the network has no integer form.
  bool leaves_floats() const;
  // Why there is no integer form of some weights or activations, as "key: reason"; "" where all
  // have one.
  std::string float_only() const;
  // What lies behind the end of a phase that applies it, as "key: reason"; "" where nothing does.
  // A calibration is over at once, so nothing can.
  std::string too_late(const ScheduleSpan& span) const;
};

// Several may be on at a time, each with quantizers of its own: those of its `weights` and
// `activations`, which no other method may have quantized. Batch norms belong to nobody and are
// frozen as long as one method freezes them.
class QuantizeMethod final : public Method {
 public:
  QuantizeMethod(QuantizeConfig config, Composition composition)
      : config_(std::move(config)), composition_(composition) {}

  bool rebuilds() const override { return config_.batch_norm == BatchNormUse::fold; }
  void attach(Network& network) override;
  void adopt(Network& network) override;
  void release(Network& network) override;
  void before_step(const MethodStep& step) override;
  // Clips latent weights.
  void after_step(const MethodStep& step) override;
  void end_phase(const MethodStep& step) override;
  void after_calibration(const ShowImages& show) override;
  bool at_target() const override { return !quantizes_activations() || activations_on_; }
  std::int64_t calibration_images() const override { return config_.calibration.images; }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  void take_hold(Network& network);
  void pass_thresholds(const MethodStep& step);
  void apply_state();
  void penalize();
  bool quantizes_activations() const;

  QuantizeConfig config_;
  Composition composition_;
  Network* network_ = nullptr;
  // Its own.
  std::vector<Parameter*> weights_;
  std::vector<ActivationQuantizer*> edges_;
  std::int64_t statistics_frozen_ = 0;
  std::int64_t observers_frozen_ = 0;
  std::int64_t activations_on_ = 1;
};

}  // namespace pare
