// The public ops in float against the reference kernels in double, on every row of the table:
// values, gradients, accumulation, unwanted gradients, and the same bits for any number of threads.
// Step memory is filled with NaN first, so that reading what nobody wrote is seen.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "framework/kernels/finite.h"
#include "tests/framework/rows_pointwise.h"
#include "tests/threads.h"

namespace pare::testing {
namespace {

struct Filled {
  Filled() { set_memory_fill(0xFF); }
  ~Filled() { set_memory_fill(-1); }
};

Tensor to_tensor(const Shape& shape, const Values& values) {
  return Tensor::from(shape, std::vector<float>(values.begin(), values.end()));
}

// A scalar whose gradient with respect to y is dy.
Variable seed_gradient(const Variable& y, const Tensor& dy) {
  return record("seed_gradient", Tensor::full(Shape{1}, 0.0f), {y},
                [dy](const Tensor&, Gradients& gradients) { gradients.give(0, dy); });
}

struct Result {
  Tensor y;
  std::vector<Tensor> gradients;  // undefined where unwanted
};

// Runs the op with gradients for those inputs that `wanted` has a bit for.
Result run(const OpCase& c, const Values& dy, unsigned wanted) {
  std::vector<Variable> inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.emplace_back(to_tensor(c.shapes[i], c.inputs[i]), (wanted >> i & 1) != 0);
  }
  const Variable y = c.op(inputs);
  Result result{y.value(), {}};
  backward(seed_gradient(y, to_tensor(y.shape(), dy)));
  for (const Variable& input : inputs) result.gradients.push_back(input.grad());
  return result;
}

// Largest difference in units of the largest expected magnitude; a sum of n random terms grows an
// error with it, not with the (perhaps cancelled) result.
std::string first_difference(const Tensor& fast, const Values& expected) {
  if (!fast.defined() || fast.size() != static_cast<std::int64_t>(expected.size()))
    return "sizes differ";
  double largest = 0;
  for (const double e : expected) largest = std::max(largest, std::abs(e));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double tolerance = 1e-5 * std::abs(expected[i]) + 1e-5 * largest + 1e-6;
    if (!(std::abs(fast.data()[i] - expected[i]) <= tolerance)) {
      return "element " + std::to_string(i) + ": op " + std::to_string(fast.data()[i]) +
             ", reference " + std::to_string(expected[i]);
    }
  }
  return "";
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0;
}

// Calls check(row, case, dy) for the small cases, so many random ones and the large ones of every
// row.
template <class F>
void for_each_case(std::size_t random_cases, const F& check) {
  for (const OpRow& row : op_table()) {
    const std::size_t fixed = row.small.size() + random_cases;
    for (std::size_t i = 0; i < fixed + row.large.size(); ++i) {
      Random random(2, Stream::test, i, name_hash(row.op));
      const OpCase c = i < row.small.size() ? row.small[i](random)
                       : i < fixed          ? row.random(random)
                                            : row.large[i - fixed](random);
      const Values dy =
          random_values(static_cast<std::int64_t>(c.forward(c.inputs).size()), random);
      check(row, c, dy);
    }
  }
}

}  // namespace

TEST_CASE("values and gradients of every op agree with the reference kernels") {
  const Filled filled;
  for_each_case(40, [](const OpRow& row, const OpCase& c, const Values& dy) {
    const Result fast = run(c, dy, ~0u);
    const std::string in_y = first_difference(fast.y, c.forward(c.inputs));
    REQUIRE_MESSAGE(in_y.empty(), row.op, " ", c.what, ", y, ", in_y);
    const std::vector<Values> expected = c.backward(c.inputs, dy);
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      const std::string in_gradient = first_difference(fast.gradients[i], expected[i]);
      REQUIRE_MESSAGE(in_gradient.empty(), row.op, " ", c.what, ", gradient ", i, ", ",
                      in_gradient);
    }
  });
}

TEST_CASE("an input that wants no gradient gets none and changes no other gradient") {
  const Filled filled;
  for_each_case(10, [](const OpRow& row, const OpCase& c, const Values& dy) {
    const Result all = run(c, dy, ~0u);
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      const Result one = run(c, dy, 1u << i);
      for (std::size_t k = 0; k < c.inputs.size(); ++k) {
        const Tensor expected = k == i ? all.gradients[k] : Tensor();
        REQUIRE_MESSAGE(same_bits(one.gradients[k], expected), row.op, " ", c.what, ", input ", k);
      }
    }
  });
}

TEST_CASE("gradients of an op used twice on the same inputs add up") {
  const Filled filled;
  for_each_case(20, [](const OpRow& row, const OpCase& c, const Values& dy) {
    std::vector<Variable> inputs;
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.emplace_back(to_tensor(c.shapes[i], c.inputs[i]), true);
    }
    const Variable y1 = c.op(inputs), y2 = c.op(inputs);
    backward(add(seed_gradient(y1, to_tensor(y1.shape(), dy)),
                 seed_gradient(y2, to_tensor(y2.shape(), dy))));
    std::vector<Values> expected = c.backward(c.inputs, dy);
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      for (double& e : expected[i]) e *= 2;
      const std::string difference = first_difference(inputs[i].grad(), expected[i]);
      REQUIRE_MESSAGE(difference.empty(), row.op, " ", c.what, ", gradient ", i, ", ", difference);
    }
  });
}

TEST_CASE("values and gradients have the same bits for any number of threads") {
  for_each_case(10, [](const OpRow& row, const OpCase& c, const Values& dy) {
    const Result one = [&] {
      const test::Threads threads(1);
      return run(c, dy, ~0u);
    }();
    for (const int count : {2, 3, 7}) {
      const test::Threads threads(count);
      const Result many = run(c, dy, ~0u);
      REQUIRE_MESSAGE(same_bits(one.y, many.y), row.op, " ", c.what, ", threads ", count);
      for (std::size_t i = 0; i < one.gradients.size(); ++i) {
        REQUIRE_MESSAGE(same_bits(one.gradients[i], many.gradients[i]), row.op, " ", c.what,
                        ", gradient ", i, ", threads ", count);
      }
    }
  });
}

// The rows of the table have too few values to be cut into tiles: among very many, one lies so near
// to 0 that float and double disagree about its sign. These are held to the two passes instead.
TEST_CASE("an op with a rectifier in it gives the bits of both passes for any number of threads") {
  const Filled filled;
  struct Pair {
    std::string op;
    OpCase fused, first;  // the same inputs
    Variable (*activation)(const Variable&);
  };
  const Shape shape{9, 20, 20, 37};
  const auto pair = [&](const std::string& op, auto fused, auto first, auto activation) {
    Random a(7, Stream::test), b(7, Stream::test);
    return Pair{op, fused(a), first(b), activation};
  };
  const auto norm = [&](bool train, Rectifier behind) {
    return [=](Random& r) { return batch_norm_case(shape, train, behind, r); };
  };
  std::vector<Pair> pairs = {pair(
      "add, relu", [&](Random& r) { return add_relu_case(shape, r); },
      [&](Random& r) { return add_case(shape, r); }, relu)};
  for (const bool train : {true, false}) {
    const std::string op = train ? "batch_norm_train" : "batch_norm_fixed";
    const auto plain = norm(train, Rectifier::none);
    pairs.push_back(pair(op + ", relu", norm(train, Rectifier::relu), plain, relu));
    pairs.push_back(pair(op + ", relu6", norm(train, Rectifier::relu6), plain, relu6));
  }
  Random random(8, Stream::test);
  const Values dy = random_values(shape.size(), random);
  for (const Pair& p : pairs) {
    CAPTURE(p.op);
    OpCase apart = p.first;
    apart.op = [&p](const auto& v) { return p.activation(p.first.op(v)); };
    const Result expected = [&] {
      const test::Threads threads(1);
      return run(apart, dy, ~0u);
    }();
    for (const int count : {1, 2, 3, 7}) {
      CAPTURE(count);
      const test::Threads threads(count);
      const Result fused = run(p.fused, dy, ~0u);
      CHECK(same_bits(fused.y, expected.y));
      for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(fused.gradients[i], expected.gradients[i]));
      }
    }
  }
}

TEST_CASE("a NaN at any position of the input reaches the output of relu, relu6 and max pooling") {
  const std::int64_t channels = 37;  // two and a part of the widest vector
  const Window window{2, 2, 2, 2, 0, 0, 0, 0};
  for (std::int64_t at = 0; at < 2 * 2 * channels; ++at) {
    std::vector<float> values(static_cast<std::size_t>(2 * 2 * channels), 1.0f);
    values[static_cast<std::size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
    const Variable x(Tensor::from(Shape{1, 2, 2, channels}, values));
    CHECK(std::isnan(relu(x).value().data()[at]));
    CHECK(std::isnan(relu6(x).value().data()[at]));
    const Tensor pooled = max_pool2d(x, window).value();
    for (std::int64_t c = 0; c < channels; ++c)
      CHECK(std::isnan(pooled.data()[c]) == (c == at % channels));
  }
}

TEST_CASE("one number that is not finite is seen wherever it stands") {
  for (const std::int64_t size : {1, 15, 16, 17, 63, 64, 65, 1000, 40000}) {
    std::vector<float> values(static_cast<std::size_t>(size), 3e38f);
    CHECK(all_finite(values.data(), size));
    for (const std::int64_t at : {std::int64_t{0}, size / 3, size / 2, size - 1}) {
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        std::vector<float> with = values;
        with[static_cast<std::size_t>(at)] = bad;
        CHECK_FALSE(all_finite(with.data(), size));
      }
    }
  }
}

TEST_CASE("batch norm reports mean and biased variance of the batch") {
  // Far from zero: a one-pass sum of squares in float would lose the variance.
  const Variable x(
      Tensor::from(Shape{4, 2}, std::vector<float>{10001, 1, 10002, 1, 10003, 1, 10004, 1}));
  const Variable scale(Tensor::full(Shape{2}, 1)), shift(Tensor::full(Shape{2}, 0));
  Tensor mean, variance;
  batch_norm_train(x, scale, shift, 1e-3f, mean, variance);
  CHECK(mean.data()[0] == doctest::Approx(10002.5));
  CHECK(variance.data()[0] == doctest::Approx(1.25));
  CHECK(mean.data()[1] == 1);
  CHECK(variance.data()[1] == 0);
}

TEST_CASE("a label outside the classes is refused with its value") {
  const Variable logits(Tensor::zeros(Shape{2, 3}));
  const std::vector<std::int32_t> labels = {0, 3};
  CHECK_THROWS_WITH_AS(
      softmax_cross_entropy(logits, labels),
      "label 3: expected 0 to 2; give the last layer as many outputs as the data set has classes",
      DataError);
}

TEST_CASE(
    "convolutions of a large image, cut into blocks of rows, agree with the reference kernels") {
  const Filled filled;
  for (const std::int64_t channels : {3, 9}) {  // direct, and by tiles (kernels/winograd.h)
    CAPTURE(channels);
    ConvShape s;
    static_cast<ImageShape&>(s) = {1, 61, 67, channels, {3, 3, 1, 1, 1, 1, 1, 1}};
    s.out_channels = channels + 2;
    Random random(3, Stream::test);
    const Values x = random_values(s.image_size(), random);
    const Values w = random_values(s.out_channels * s.depth(), random);
    const Values dy = random_values(s.y_size(), random);
    Variable image(to_tensor(Shape{1, 61, 67, channels}, x), true);
    Variable weight(to_tensor(Shape{s.out_channels, 3, 3, channels}, w), true);
    const Variable y = conv2d(image, weight, Variable(), s.window);
    backward(seed_gradient(y, to_tensor(y.shape(), dy)));
    const std::vector<Values> expected = reference::conv2d_backward(s, x, w, dy);
    CHECK(first_difference(y.value(), reference::conv2d(s, x, w, Values())) == "");
    CHECK(first_difference(image.grad(), expected[0]) == "");
    CHECK(first_difference(weight.grad(), expected[1]) == "");
  }
}

}  // namespace pare::testing
