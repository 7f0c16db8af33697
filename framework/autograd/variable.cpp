#include "framework/autograd/variable.h"

#include <algorithm>
#include <queue>
#include <vector>

#include "framework/base/parallel.h"

namespace pare {
namespace detail {

std::uint64_t next_order() {
  thread_local std::uint64_t order = 0;
  return ++order;
}

}  // namespace detail

namespace {
thread_local int no_gradient_depth = 0;

const Tensor& undefined_tensor() {
  static const Tensor tensor;
  return tensor;
}
}  // namespace

NoGradient::NoGradient() { ++no_gradient_depth; }
NoGradient::~NoGradient() { --no_gradient_depth; }
bool gradients_enabled() { return no_gradient_depth == 0; }

Variable::Variable(Tensor value, bool requires_grad) {
  node_ = std::allocate_shared<Node>(StepAllocator<Node>());
  node_->value = std::move(value);
  node_->requires_grad = requires_grad;
  node_->order = detail::next_order();
}

const Tensor& Variable::value() const {
  PARE_ENSURE(node_ != nullptr);
  return node_->value;
}

bool Variable::requires_grad() const { return node_ && node_->requires_grad; }

const Tensor& Variable::grad() const { return node_ ? node_->grad : undefined_tensor(); }

Tensor Variable::take_grad() {
  PARE_ENSURE(node_ != nullptr);
  return std::exchange(node_->grad, Tensor());
}

bool Gradients::wants(int i) const { return node_.input(i).requires_grad(); }

GradientSlot Gradients::slot(int i) {
  Node& input = *node_.input(i).node();
  if (!input.grad.defined()) {
    input.grad = Tensor(input.value.shape());
    return {input.grad.mutable_data(), 0.0f};
  }
  if (!input.grad.unique()) {  // given by give(): others still read it
    Tensor own(input.grad.shape());
    std::copy_n(input.grad.data(), own.size(), own.mutable_data());
    input.grad = std::move(own);
  }
  return {input.grad.mutable_data(), 1.0f};
}

void Gradients::give(int i, const Tensor& gradient) {
  Node& input = *node_.input(i).node();
  if (!input.grad.defined()) {
    input.grad = gradient.reshaped(input.value.shape());
    return;
  }
  const GradientSlot into = slot(i);
  const float* from = gradient.data();
  parallel_tiles(gradient.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) into.data[k] += from[k];
  });
}

void backward(const Variable& loss) {
  PARE_ENSURE(loss.defined() && loss.shape().size() == 1);
  if (!loss.requires_grad()) return;
  // A node is younger than its inputs, so taking the youngest first meets every reader before what
  // it reads.
  const auto younger = [](const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) {
    return a->order < b->order;
  };
  thread_local std::vector<std::shared_ptr<Node>> heap;  // kept: no allocation in steady state
  heap.clear();
  const auto push = [&younger](const Variable& v) {
    heap.push_back(std::shared_ptr<Node>(v.node_));
    std::push_heap(heap.begin(), heap.end(), younger);
  };
  loss.node()->grad = Tensor::full(loss.shape(), 1.0f);
  push(loss);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), younger);
    const std::shared_ptr<Node> node = std::move(heap.back());
    heap.pop_back();
    if (node->input_count == 0 || !node->grad.defined()) continue;  // a leaf, or met before
    Gradients gradients(*node);
    Tensor dy = std::move(node->grad);
    node->grad = Tensor();
    node->backward(dy, gradients);
    node->drop_closure();
    for (int i = 0; i < node->input_count; ++i) {
      Variable input = std::exchange(node->input(i), Variable());
      if (input.requires_grad()) push(input);
    }
    node->input_count = 0;
  }
}

// Releasing a graph that was never walked must not recurse along it either: nodes that lose their
// last owner while another one is being released wait in a list.
Node::~Node() {
  thread_local std::vector<Variable> doomed;
  thread_local bool draining = false;
  for (int i = 0; i < input_count; ++i) {
    if (input(i).node_.use_count() == 1) doomed.push_back(std::move(input(i)));
  }
  if (draining) return;
  draining = true;
  while (!doomed.empty()) {
    const Variable next = std::move(doomed.back());
    doomed.pop_back();
  }
  draining = false;
}

}  // namespace pare
