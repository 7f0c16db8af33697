// PhaseOptimizer: what changes the network's numbers during a phase: an optimizer over all
// parameters and, where the config asks for one, the average of the weights ("ema").
//
// With an average, training goes on with the network's own numbers, and whatever looks at the
// network (validation, the kept network, checkpoints, what is lowered) sees the averages:
// Averaged puts them in place for as long as it lives.
#pragma once

#include <memory>
#include <optional>

#include "layers/network.h"
#include "optim/average.h"
#include "optim/table.h"

namespace pare {

class PhaseOptimizer {
 public:
  // `network` must outlive it and keep its parameters.
  PhaseOptimizer(const OptimizerConfig& config, Network& network);

  void step(double learning_rate);
  void visit_moments(const Parameter& parameter, const std::function<void(Tensor&)>& visit) {
    optimizer_->visit_moments(parameter, visit);
  }
  void visit_state(StateVisitor& visitor);  // "optimizer/..."
  // Puts the averages into the network, or the numbers that train back; nothing without averages.
  void exchange();

 private:
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
};

// The averages are in the network; null: nothing to do.
class Averaged {
 public:
  explicit Averaged(PhaseOptimizer* optimizer) : optimizer_(optimizer) {
    if (optimizer_) optimizer_->exchange();
  }
  ~Averaged() {
    if (optimizer_) optimizer_->exchange();
  }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;
  // They stay.
  void keep() { optimizer_ = nullptr; }

 private:
  PhaseOptimizer* optimizer_;
};

}  // namespace pare
