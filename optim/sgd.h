// Stochastic gradient descent with momentum.
#pragma once

#include <optional>

#include "optim/moments.h"
#include "optim/optimizer.h"

namespace pare {

struct SgdOptions {
  double momentum = 0;
  bool nesterov = false;  // needs a momentum
};

// g' = g + decay * w;  v = momentum * v + g';  w -= lr * v, or with nesterov w -= lr * (g' +
// momentum * v). PyTorch's form of Sutskever et al. 2013, "On the importance of initialization and
// momentum": the learning rate stands outside v. v begins at 0, so the first v is g'.
class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<Parameter*> parameters, const SgdOptions& options,
      const Regularization& regularization);

  void visit_moments(const Parameter& parameter,
                     const std::function<void(Tensor&)>& visit) override;
  void visit_state(StateVisitor& visitor) override;

 private:
  void update(std::size_t i, const Tensor& gradient, const Update& update) override;

  SgdOptions options_;
  std::optional<Moments> velocity_;  // none without momentum
};

}  // namespace pare
