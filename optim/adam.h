// Adam and AdamW.
#pragma once

#include "optim/moments.h"
#include "optim/optimizer.h"

namespace pare {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

// What weight decay acts on.
enum class Decay {
  coupled,    // adam: the gradient gains decay * w, so the moments see it
  decoupled,  // adamw: w -= lr * decay * w beside the update
};

// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ...
// Kingma & Ba 2015, "Adam", algorithm 1; Loshchilov & Hutter 2019, "Decoupled weight decay
// regularization". As PyTorch, epsilon stands outside the root and beside the corrected moment.
class Adam final : public Optimizer {
 public:
  Adam(std::vector<Parameter*> parameters, const AdamOptions& options, Decay decay,
       const Regularization& regularization);

  void visit_moments(const Parameter& parameter,
                     const std::function<void(Tensor&)>& visit) override;
  void visit_state(StateVisitor& visitor) override;

 private:
  void begin_step() override { ++step_; }
  void update(std::size_t i, const Tensor& gradient, const Update& update) override;

  AdamOptions options_;
  Decay decay_;
  std::int64_t step_ = 0;
  Moments first_, second_;
};

}  // namespace pare
