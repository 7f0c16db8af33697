#include "apps/bench/op_rows.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace pare::bench {
namespace {

constexpr std::uint64_t kGradientSalt = 100;

double bytes_of_shape(const Shape& shape) { return 4.0 * static_cast<double>(shape.size()); }

// A scalar whose gradient with respect to y is dy; the closure then is its only owner, as in
// training.
Variable with_gradient(const Variable& y, Tensor dy) {
  return record("given_gradient", Tensor::zeros({1}), {y},
                [dy = std::move(dy)](const Tensor&, Gradients& gradients) mutable {
                  gradients.give(0, dy);
                  dy = Tensor();
                });
}

struct Graph {
  explicit Graph(const OpKernel& op_kernel) : kernel(op_kernel) {
    for (const Shape& shape : kernel.inputs) {
      inputs.push_back(random_tensor(shape, inputs.size()));
    }
    instance = kernel.make(inputs);
    dy = random_tensor(kernel.output, kGradientSalt);
  }

  void forget() {
    y = loss = Variable();
    leaves.clear();
    for (const Tensor& input : inputs) leaves.emplace_back(input, true);
  }
  void forward() { y = instance.op(leaves); }
  // Everything but the closure's own work.
  void prepare_backward() {
    forget();
    forward();
    Tensor copy(kernel.output);
    std::copy_n(dy.data(), dy.size(), copy.mutable_data());
    given = bytes_of(copy);
    loss = with_gradient(y, std::move(copy));
  }

  std::vector<Bytes> forward_reads() const {
    std::vector<Bytes> all = instance.also_reads;
    for (const Tensor& input : inputs) all.push_back(bytes_of(input));
    return all;
  }
  std::vector<Bytes> backward_reads() const {
    std::vector<Bytes> all = instance.also_reads;
    all.push_back(given);
    for (const std::size_t i : kernel.keeps) all.push_back(bytes_of(inputs[i]));
    if (kernel.keeps_output) all.push_back(bytes_of(y.value()));
    return all;
  }
  std::vector<Bytes> backward_written() const {
    std::vector<Bytes> all;
    for (const std::size_t i : kernel.gradients) all.push_back(bytes_of(leaves[i].grad()));
    if (instance.also_written) {
      for (const Tensor& tensor : instance.also_written()) all.push_back(bytes_of(tensor));
    }
    return all;
  }

  OpKernel kernel;
  std::vector<Tensor> inputs;
  OpInstance instance;
  Tensor dy;
  std::vector<Variable> leaves;
  Variable y, loss;
  Bytes given;  // dy, as the closure gets it
};

}  // namespace

KernelRow forward_row(const OpKernel& kernel) {
  double bytes = bytes_of_shape(kernel.output) + kernel.also_read_bytes;
  for (const Shape& shape : kernel.inputs) bytes += bytes_of_shape(shape);
  return {kernel.name + " forward", Bound::memory, 0, bytes, [kernel] {
            const auto graph = std::make_shared<Graph>(kernel);
            return KernelCall{
                .call = [graph] { graph->forward(); },
                .before = [graph] { graph->forget(); },
                .reads = [graph] { return graph->forward_reads(); },
                .written = [graph] { return std::vector<Bytes>{bytes_of(graph->y.value())}; }};
          }};
}

KernelRow backward_row(const OpKernel& kernel) {
  double bytes = kernel.also_read_bytes + kernel.also_written_bytes;
  bytes += (kernel.keeps_output ? 2 : 1) * bytes_of_shape(kernel.output);
  for (const std::size_t i : kernel.keeps) bytes += bytes_of_shape(kernel.inputs[i]);
  for (const std::size_t i : kernel.gradients) bytes += bytes_of_shape(kernel.inputs[i]);
  return {kernel.name + " backward", Bound::memory, 0, bytes, [kernel] {
            const auto graph = std::make_shared<Graph>(kernel);
            return KernelCall{.call = [graph] { backward(graph->loss); },
                              .before = [graph] { graph->prepare_backward(); },
                              .reads = [graph] { return graph->backward_reads(); },
                              .written = [graph] { return graph->backward_written(); }};
          }};
}

}  // namespace pare::bench
