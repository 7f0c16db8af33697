// What tests of quantizers share: tensors of random numbers, and a sum whose gradient is given.
#pragma once

#include "framework/ops/ops.h"
#include "framework/random.h"

namespace pare {

// Standard normal values.
inline Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Random random(seed, Stream::test);
  Tensor x = Tensor::persistent(shape);
  for (std::int64_t i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = static_cast<float>(random.normal());
  return x;
}

// sum(x * w): its gradient with respect to x is w.
inline Variable weighted_sum(const Variable& x, const Tensor& w) {
  const Variable row = record("test_row", x.value().reshaped({1, x.value().size()}), {x},
                              [shape = x.shape()](const Tensor& dy, Gradients& gradients) {
                                gradients.give(0, dy.reshaped(shape));
                              });
  return dense(row, Variable(w.reshaped({1, w.size()})), Variable());
}

}  // namespace pare
