// RMSprop.
#pragma once

#include "optim/moments.h"
#include "optim/optimizer.h"

namespace pare {

struct RmspropOptions {
  double beta2 = 0.99;  // of the mean square
  double epsilon = 1e-8;
};

// g' = g + decay * w;  v = beta2 v + (1 - beta2) g'^2;  w -= lr * g' / (sqrt(v) + epsilon).
// Tieleman & Hinton 2012, lecture 6.5; as PyTorch, v is not corrected for its start at 0.
class Rmsprop final : public Optimizer {
 public:
  Rmsprop(std::vector<Parameter*> parameters, const RmspropOptions& options,
          const Regularization& regularization);

  void visit_moments(const Parameter& parameter,
                     const std::function<void(Tensor&)>& visit) override;
  void visit_state(StateVisitor& visitor) override;

 private:
  void update(std::size_t i, const Tensor& gradient, const Update& update) override;

  RmspropOptions options_;
  Moments second_;
};

}  // namespace pare
