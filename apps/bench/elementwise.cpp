// Rows of what passes over activations: relu, sums, batch norms.
#include "apps/bench/op_rows.h"
#include "framework/ops/fused.h"

namespace pare::bench {
namespace {

using Inputs = std::vector<Variable>;

// An op without state.
auto plain(std::function<Variable(const Inputs&)> op) {
  return [op](const std::vector<Tensor>&) { return OpInstance{op}; };
}

}  // namespace

Rows relu_rows(const Shape& shape) {
  const OpKernel kernel{.name = "relu, " + text(shape),
                        .inputs = {shape},
                        .output = shape,
                        .make = plain([](const Inputs& x) { return relu(x[0]); }),
                        .keeps_output = true};
  return {forward_row(kernel), backward_row(kernel)};
}

Rows add_rows(const Shape& shape, bool with_relu) {
  const OpKernel kernel{.name = (with_relu ? "add+relu, " : "add, ") + text(shape),
                        .inputs = {shape, shape},
                        .output = shape,
                        .make = plain([with_relu](const Inputs& x) {
                          return with_relu ? add_relu(x[0], x[1]) : add(x[0], x[1]);
                        }),
                        .keeps_output = true};
  if (!with_relu) return {forward_row(kernel)};
  return {forward_row(kernel), backward_row(kernel)};
}

// With the statistics of the batch.
Rows batch_norm_rows(const Shape& shape, bool with_relu) {
  const Shape channels{shape[-1]};
  const OpKernel kernel{.name = (with_relu ? "batch norm+relu, " : "batch norm, ") + text(shape),
                        .inputs = {shape, channels, channels},
                        .output = shape,
                        .make = plain([with_relu](const Inputs& x) {
                          constexpr float kEpsilon = 1e-5f;
                          Tensor mean, variance;
                          return batch_norm_train(x[0], x[1], x[2], kEpsilon, mean, variance,
                                                  with_relu ? Rectifier::relu : Rectifier::none);
                        }),
                        .keeps = {0},
                        .gradients = {0, 1, 2}};
  return {forward_row(kernel), backward_row(kernel)};
}

}  // namespace pare::bench
