// A quantizer in a parameter's chain: the layer computes with weights that lie on the grid.
#pragma once

#include <memory>

#include "compression/quantize/quantizer.h"
#include "framework/parameter.h"

namespace pare {

inline constexpr std::string_view kWeightQuantizer = "fake_quant";

class WeightQuantizer final : public Transform {
 public:
  explicit WeightQuantizer(std::unique_ptr<Quantizer> quantizer)
      : quantizer_(std::move(quantizer)) {}

  std::string_view kind() const override { return kWeightQuantizer; }
  Variable apply(const Variable& value, const Pass& pass) override;
  void visit_parameters(const ParameterVisitor& visit) override {
    quantizer_->visit_parameters(visit);
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    quantizer_->visit_state(prefix, visitor);
  }

  const Quantizer& quantizer() const { return *quantizer_; }
  // An observer that is frozen keeps its range (a stateless one has none to keep and goes on).
  void freeze_observer(bool frozen) { frozen_ = frozen; }

 private:
  std::unique_ptr<Quantizer> quantizer_;
  bool frozen_ = false;
};

}  // namespace pare
