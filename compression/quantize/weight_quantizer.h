// A quantizer in a parameter's chain: the layer computes with weights that lie on the grid.
#pragma once

#include <memory>

#include "compression/quantize/quantizer.h"
#include "framework/config/forward.h"
#include "framework/parameter.h"

namespace pare {

inline constexpr std::string_view kWeightQuantizer = "fake_quant";

class WeightQuantizer final : public Transform {
 public:
  // `weight`: in whose chain it stands.
  WeightQuantizer(const WeightQuantizerConfig& config, const Parameter& weight);

  std::string_view kind() const override { return kWeightQuantizer; }
  Variable apply(const Variable& value, const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;
  void visit_parameters(const ParameterVisitor& visit) override {
    quantizer_->visit_parameters(visit);
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

  const WeightQuantizerConfig& config() const { return config_; }
  const Quantizer& quantizer() const { return *quantizer_; }
  // An observer that is frozen keeps its range (a stateless one has none to keep and goes on).
  void freeze_observer(bool frozen) { frozen_ = frozen; }
  // Off: the value passes as it is, to be compared with what quantization makes of it.
  void switch_on(bool on) { on_ = on; }
  // lambda of what with_error_penalty() adds in training.
  void penalize(double lambda) { lambda_ = lambda; }
  // The grid is what it is now, whatever becomes of the weight.
  void fix() { fixed_ = 1; }
  void begin_epoch() { quantizer_->begin_epoch(); }

 private:
  void observe(const Variable& value, const Pass& pass);

  WeightQuantizerConfig config_;
  std::unique_ptr<Quantizer> quantizer_;
  const Parameter& weight_;
  bool frozen_ = false;
  bool on_ = true;
  std::int64_t fixed_ = 0;
  double lambda_ = 0;
};

}  // namespace pare
