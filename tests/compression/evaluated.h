// What a network computes outside of training.
#pragma once

#include "layers/network.h"

namespace pare {

// The output for `x` [n, ...], a copy that outlives the step.
inline Tensor evaluated(Network& network, const Tensor& x) {
  const NoGradient no_gradient;
  Tensor y = network.forward(Variable(x), Pass::begin(Pass::Mode::evaluate, 1, 0)).value().clone();
  network.release();
  return y;
}

}  // namespace pare
