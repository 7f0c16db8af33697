// Optimizer: from gradients to new latent values.
//
// One fused pass per parameter, in parallel over tiles whose size is fixed, element by element: the
// result does not depend on the number of threads. Optimizers know nothing of masks; what a pruner
// wants zero it reaches through visit_moments().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/parameter.h"
#include "framework/state.h"

namespace pare {

// What acts on every gradient, whatever the rule.
struct Regularization {
  double weight_decay = 0;  // on parameters that decay (Parameter::decays()), or on all
  bool decay_all = false;
  double l1 = 0;                    // lambda of lambda * sum |w|, on the same parameters
  double group_lasso = 0;           // lambda of lambda * sum_c ||w_c||, c: their output channels
  std::optional<double> clip_norm;  // largest Euclidean norm of all gradients together
};

// One parameter's update, in the precision in which it is computed. The gradient that a rule sees
// is factor * g + l1 * sign(w), with sign(0) = 0; what decay means is the rule's business.
struct Update {
  float learning_rate;
  float factor;
  float decay;
  float l1;
};

class Optimizer {
 public:
  Optimizer(std::vector<Parameter*> parameters, const Regularization& regularization);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // One update of every parameter that has a gradient, at this learning rate; drops the graph, and
  // with it the gradients. Frozen parameters are left alone.
  void step(double learning_rate);

  // Moments of one parameter (momentum; Adam's two), so that a pruner can zero what belongs to
  // pruned weights. The parameter must be one of parameters().
  virtual void visit_moments(const Parameter& parameter,
                             const std::function<void(Tensor&)>& visit) = 0;
  virtual void visit_state(StateVisitor& visitor) = 0;  // "optimizer/<path>/<moment>", step count

  const std::vector<Parameter*>& parameters() const { return parameters_; }

 protected:
  // gradient is d loss / d latent. i is the parameter's index; its latent value may be written.
  virtual void update(std::size_t i, const Tensor& gradient, const Update& update) = 0;
  virtual void begin_step() {}
  std::size_t index_of(const Parameter& parameter) const;

 private:
  bool regularizes(const Parameter& parameter) const;
  Update update_of(const Parameter& parameter, double learning_rate, double factor) const;
  std::vector<Parameter*> parameters_;
  Regularization regularization_;
};

// Elements that one thread updates at a time.
inline constexpr std::int64_t kUpdateTile = 16384;

}  // namespace pare
