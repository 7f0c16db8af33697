// Variable: a point in the autograd graph (reverse mode, one pass).
//
// An op is a free function: it computes its value and, where an input needs a gradient, calls
// record() with a closure that turns the gradient of the output into gradients of the inputs. The
// closure stands directly below the forward computation. backward() walks the graph iteratively (no
// recursion, any depth) in reverse order of creation, hands each closure its output's gradient and
// releases closures and graph as it goes, so that the optimizer owns the weights alone again when
// it returns. The graph can be walked once.
//
// Gradient kernels take `beta`: the first writer of a gradient overwrites (beta 0), later ones
// accumulate (beta 1).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

#include "framework/base/error.h"
#include "framework/tensor/step_vector.h"
#include "framework/tensor/tensor.h"

namespace pare {

class Node;

// Where a closure writes the gradient of one input: data[i] = beta * data[i] + new value.
struct GradientSlot {
  float* data;
  float beta;  // 0 or 1
};

class Variable {
 public:
  Variable() = default;
  // A leaf. With requires_grad its gradient is there after backward().
  explicit Variable(Tensor value, bool requires_grad = false);

  bool defined() const { return node_ != nullptr; }
  const Tensor& value() const;
  const Shape& shape() const { return value().shape(); }
  bool requires_grad() const;
  // The gradient that backward() left in a leaf; undefined where nothing reached it.
  const Tensor& grad() const;
  // Takes the gradient out of the leaf.
  Tensor take_grad();

  Node* node() const { return node_.get(); }

 private:
  friend class Node;
  friend class Gradients;
  friend void backward(const Variable& loss);
  template <class F>
  friend Variable record(const char*, Tensor, std::initializer_list<Variable>, F);
  explicit Variable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

// The inputs of an op as its closure sees them.
class Gradients {
 public:
  explicit Gradients(Node& node) : node_(node) {}
  // False where input i needs no gradient: the closure then skips it.
  bool wants(int i) const;
  // Memory for the gradient of input i; ask once per input and write all of it.
  GradientSlot slot(int i);
  // Hands over a whole tensor as the gradient of input i (shared, not copied, where it is the
  // first).
  void give(int i, const Tensor& gradient);

 private:
  Node& node_;
};

class Node {
 public:
  static constexpr int kMaxInputs = 6;
  virtual ~Node();
  virtual void backward(Tensor& /*dy*/, Gradients&) {}
  virtual void drop_closure() {}

  const char* op = "leaf";
  Tensor value;
  Tensor grad;
  bool requires_grad = false;
  std::uint64_t order = 0;  // creation order: a node is younger than its inputs
  int input_count = 0;
  std::array<Variable, kMaxInputs> inputs;
  Variable& input(int i) { return inputs[static_cast<std::size_t>(i)]; }
};

namespace detail {
std::uint64_t next_order();

template <class F>
struct ClosureNode final : Node {
  explicit ClosureNode(F f) : closure(std::in_place, std::move(f)) {}
  void backward(Tensor& dy, Gradients& gradients) override { (*closure)(dy, gradients); }
  void drop_closure() override { closure.reset(); }
  struct Holder {  // an optional whose F need not be assignable
    template <class G>
    Holder(std::in_place_t, G&& g) {
      new (&f) F(std::forward<G>(g));
    }
    ~Holder() { reset(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    F& operator*() { return f; }
    void reset() {
      if (full) {
        f.~F();
        full = false;
      }
    }
    union {
      F f;
    };
    bool full = true;
  } closure;
};
}  // namespace detail

// While one of these lives, record() keeps no closures and no inputs: evaluation costs no memory.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;
};
bool gradients_enabled();

// Makes the output of an op. `op` is its name (a string literal; tests/framework require a gradient
// check per name); `closure(const Tensor& dy, Gradients&)` is kept only where an input requires a
// gradient. A closure that takes `Tensor& dy` may compute in dy's memory where dy.unique(), and
// give() it on.
template <class F>
Variable record(const char* op, Tensor value, std::initializer_list<Variable> inputs, F closure) {
  bool needed = false;
  if (gradients_enabled()) {
    for (const Variable& input : inputs) needed = needed || input.requires_grad();
  }
  if (!needed) return Variable(std::move(value));
  PARE_ENSURE(inputs.size() <= Node::kMaxInputs);
  auto node = std::allocate_shared<detail::ClosureNode<F>>(StepAllocator<detail::ClosureNode<F>>(),
                                                           std::move(closure));
  node->op = op;
  node->value = std::move(value);
  node->requires_grad = true;
  node->order = detail::next_order();
  for (const Variable& input : inputs)
    node->inputs[static_cast<std::size_t>(node->input_count++)] = input;
  return Variable(std::move(node));
}

// Gradients of `loss` (one element) with respect to every leaf that requires one.
void backward(const Variable& loss);

}  // namespace pare
