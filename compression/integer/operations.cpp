#include "compression/integer/operations.h"

#include <iterator>
#include <type_traits>

namespace pare::integer {

const char* kind_of(const Operation& operation) {
  static constexpr const char* kNames[] = {
      "conv2d",         "depthwise_conv2d", "dense", "max_pool2d",
      "average_pool2d", "global_average",   "add",   "clamp",
      "reshape"};
  static_assert(std::size(kNames) == std::variant_size_v<Operation>);
  return kNames[operation.index()];
}

Inputs inputs_of(const Operation& operation) {
  return std::visit(
      [](const auto& op) -> Inputs {
        if constexpr (std::is_same_v<std::decay_t<decltype(op)>, Add>) {
          return {{op.a, op.b}, 2};
        } else {
          return {{op.input, 0}, 1};
        }
      },
      operation);
}

std::int32_t output_of(const Operation& operation) {
  return std::visit([](const auto& op) { return op.output; }, operation);
}

WeightLayout weight_layout(const Conv2d& op, const Tensor& input, const Tensor& output) {
  const std::int64_t window = std::int64_t{op.window.kernel_h} * op.window.kernel_w;
  return {output.channels, window * (input.channels / op.groups), false};
}

WeightLayout weight_layout(const DepthwiseConv2d& op, const Tensor&, const Tensor& output) {
  return {output.channels, std::int64_t{op.window.kernel_h} * op.window.kernel_w, true};
}

WeightLayout weight_layout(const Dense&, const Tensor& input, const Tensor& output) {
  return {output.channels, input.size(), false};
}

std::int64_t macs_of(const Program& program, const Operation& operation) {
  return std::visit(
      [&](const auto& op) -> std::int64_t {
        if constexpr (requires { op.weights; }) {
          const Tensor& out = program.tensors[op.output];
          return std::ssize(op.weights.codes) * out.height * out.width;
        }
        return 0;
      },
      operation);
}

}  // namespace pare::integer
