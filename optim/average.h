// WeightAverage: the exponential moving average of a network's numbers ("ema"), which is evaluated,
// kept and lowered in their place.
//
// It averages every tensor of the network's state: latent weights, biases, what belongs to a
// quantizer, and batch norm's running statistics, which must fit the weights that they are used
// with. Masks and observed ranges are no tensors and belong to both: an averaged weight goes
// through the same chain, so a pruned one stays exactly zero and the others lie on their grid.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/state.h"

namespace pare {

class WeightAverage {
 public:
  // Names the network's state to a visitor, the same tensors in the same order at every call. No
  // graph may hold them. They must stay where they are: a network whose nodes are replaced, or that
  // gets quantizers, needs a new average.
  using VisitState = std::function<void(StateVisitor&)>;

  // Begins as the present values.
  WeightAverage(double decay, VisitState visit);

  // After an update of the weights: average = d * average + (1 - d) * value with d = min(decay,
  // (1 + t) / (10 + t)), t = 1, 2, ...: the first averages forget the start sooner (as
  // tf.train.ExponentialMovingAverage with num_updates). Polyak & Juditsky 1992, "Acceleration of
  // stochastic approximation by averaging".
  void update();

  // Exchanges the averages and the network's own numbers.
  void swap();

  // What is not in the network at the time: "optimizer/average/<name>", and the number of updates.
  void visit_state(StateVisitor& visitor);

 private:
  double decay_;
  VisitState visit_;
  std::vector<std::string> names_;
  std::vector<Tensor> tensors_;
  std::vector<const Tensor*> values_;  // the network's own, so that an update builds no names
  std::int64_t updates_ = 0;
};

}  // namespace pare
