// Optimizer: from gradients to new latent values.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/parameter.h"
#include "framework/state.h"

namespace pare {

class Optimizer {
 public:
  explicit Optimizer(std::vector<Parameter*> parameters) : parameters_(std::move(parameters)) {}
  virtual ~Optimizer() = default;

  // One update of every parameter that has a gradient, at this learning rate; drops the graph. One fused pass each.
  void step(double learning_rate);

  // Moments of one parameter (momentum; Adam's two), so that a pruner can zero what belongs to pruned weights.
  virtual void visit_moments(const Parameter& parameter, const std::function<void(Tensor&)>& visit) = 0;
  virtual void visit_state(StateVisitor& visitor) = 0;  // "optimizer/<path>/<moment>", step count

  const std::vector<Parameter*>& parameters() const { return parameters_; }

 protected:
  // gradient is d loss / d latent. i is the parameter's index.
  virtual void update(std::size_t i, const Tensor& gradient, double learning_rate) = 0;
  virtual void begin_step() {}

 private:
  std::vector<Parameter*> parameters_;
};

}  // namespace pare
