// The graph: order, fan-out, depth, release, and memory in steady state.
#include <doctest/doctest.h>

#include <vector>

#include "framework/ops/ops.h"

namespace pare {
namespace {

Variable leaf(float value) { return Variable(Tensor::full(Shape{1}, value), true); }

// x * factor
Variable scaled(const Variable& x, float factor) {
  return record("scaled", Tensor::full(Shape{1}, x.value().item() * factor), {x},
                [factor](const Tensor& dy, Gradients& gradients) {
                  const auto [dx, beta] = gradients.slot(0);
                  dx[0] = (beta == 0 ? 0.0f : dx[0]) + factor * dy.item();
                });
}

}  // namespace

TEST_CASE("a variable that several ops read collects all their gradients") {
  const Variable x = leaf(2);
  const Variable y = add(add(scaled(x, 3), scaled(x, 5)), add(x, x));
  CHECK(y.value().item() == 20);
  backward(y);
  CHECK(x.grad().item() == 10);
}

TEST_CASE("in a diamond with legs of different length the inner node waits for both") {
  const Variable x = leaf(1);
  const Variable inner = scaled(x, 2);
  const Variable far = scaled(scaled(scaled(inner, 3), 5), 7);
  backward(add(far, inner));
  CHECK(x.grad().item() == 2 * (3 * 5 * 7 + 1));
}

TEST_CASE("a gradient given to two inputs is not changed through one of them") {
  const Variable a = leaf(1), b = leaf(1);
  const Variable more = scaled(a, 4);
  const Variable sum = add(a, b);  // newer, so backward meets it first: both share one gradient
  backward(add(sum, more));        // and a gets more
  CHECK(a.grad().item() == 5);
  CHECK(b.grad().item() == 1);
}

TEST_CASE("a chain of 100000 nodes is walked without recursion") {
  const Variable x = leaf(1);
  Variable y = x;
  for (int i = 0; i < 100000; ++i) y = scaled(y, -1);
  backward(y);
  CHECK(x.grad().item() == 1);
}

TEST_CASE("a chain of 100000 nodes is released without backward and without recursion") {
  const Variable x = leaf(1);
  {
    Variable y = x;
    for (int i = 0; i < 100000; ++i) y = scaled(y, 1);
  }
  CHECK(!x.grad().defined());
  CHECK(x.value().unique());
}

TEST_CASE("backward releases what closures held") {
  const Variable x(Tensor::full(Shape{3, 2}, 1), false);
  Variable w(Tensor::full(Shape{1, 2}, 1), true);
  const Variable y = dense(x, w, Variable());
  const Variable loss = mean_squared_error(y, std::vector<std::int32_t>{0, 0, 0});
  CHECK(!w.value().unique());
  backward(loss);
  CHECK(w.value().unique());
}

TEST_CASE("under NoGradient nothing is recorded") {
  const Variable x = leaf(1);
  {
    const NoGradient off;
    const NoGradient nested;
    CHECK(!gradients_enabled());
    const Variable y = scaled(x, 2);
    CHECK(!y.requires_grad());
    backward(y);
  }
  CHECK(gradients_enabled());
  CHECK(!x.grad().defined());
  CHECK(scaled(x, 2).requires_grad());
}

TEST_CASE("a graph can be walked once") {
  const Variable x = leaf(1);
  const Variable y = scaled(x, 2);
  backward(y);
  backward(y);  // the graph is gone: adds nothing
  CHECK(x.grad().item() == 2);
  Variable owner = x;
  CHECK(owner.take_grad().item() == 2);
  CHECK(!x.grad().defined());
}

namespace {

// A step of a small network with every kind of op that training uses.
void train_step(Tensor& weight, Tensor& dense_weight, std::uint64_t step) {
  const Variable x(Tensor::full(Shape{6, 9, 9, 2}, 0.5f));
  const Variable w(weight, true), v(dense_weight, true);
  const Variable scale(Tensor::full(Shape{4}, 1), true), shift(Tensor::full(Shape{4}, 0), true);
  Tensor mean, variance;
  const Variable a = conv2d(x, w, shift, Window{3, 3, 1, 1, 1, 1, 1, 1});
  const Variable b = relu(batch_norm_train(a, scale, shift, 1e-3f, mean, variance));
  const Variable c = max_pool2d(add(a, b), Window{3, 3, 3, 3, 0, 0, 0, 0});
  const Variable d = dropout(flatten(c), 0.25f, 1, step, 2);
  backward(softmax_cross_entropy(dense(d, v, Variable()), std::vector<std::int32_t>(6, 1)));
  CHECK(w.grad().defined());
  CHECK(v.grad().defined());
}

}  // namespace

TEST_CASE("after the second step the pool asks the system for nothing") {
  Tensor weight = Tensor::persistent(Shape{4, 3, 3, 2}),
         dense_weight = Tensor::persistent(Shape{3, 36});
  train_step(weight, dense_weight, 1);
  train_step(weight, dense_weight, 2);
  const MemoryStatistics before = memory_statistics();
  reset_memory_peak();
  for (std::uint64_t step = 3; step < 6; ++step) train_step(weight, dense_weight, step);
  const MemoryStatistics after = memory_statistics();
  CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.step_bytes_now == before.step_bytes_now);
  CHECK(after.step_bytes_peak > after.step_bytes_now);
  CHECK(weight.unique());
}

}  // namespace pare
