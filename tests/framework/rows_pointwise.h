// Rows of op_table.h for what works element by element or channel by channel: activations, add,
// flatten, dropout, batch norm. Included by op_table_test.cpp and kernels_test.cpp.
#pragma once

#include <cmath>

#include "tests/framework/op_table.h"

namespace pare::testing {

inline const std::vector<Shape>& small_shapes() {
  static const std::vector<Shape> shapes = {
      Shape{1, 1},       Shape{1, 7},       Shape{7, 1},  Shape{3, 5},       Shape{2, 17},
      Shape{5, 16},      Shape{1, 33},      Shape{11, 3}, Shape{1, 1, 1, 1}, Shape{2, 3, 5, 1},
      Shape{1, 4, 4, 3}, Shape{2, 2, 3, 5}, Shape{13, 2}, Shape{1, 1, 1, 7}, Shape{3, 1, 2, 11}};
  return shapes;
}

inline Shape random_shape(Random& r) {
  if (r.below(2)) return Shape{between(1, 64, r), between(1, 300, r)};
  return Shape{between(1, 9, r), between(1, 20, r), between(1, 20, r), between(1, 70, r)};
}

// `make(shape, random)` for the small shapes and for random ones.
template <class Make>
inline OpRow shape_row(const std::string& op, Make make) {
  OpRow row{op, {}, [make](Random& r) { return make(random_shape(r), r); }};
  for (const Shape& shape : small_shapes()) {
    row.small.push_back([=](Random& r) { return make(shape, r); });
  }
  return row;
}

// Values in about [-8, 8], at least 1/8 away from the kinks at 0 and 6.
inline Values values_off_kinks(std::int64_t count, Random& random) {
  Values values = random_values(count, random);
  for (double& v : values) {
    v *= 8;
    if (std::abs(v) < 0.125) v += v < 0 ? -0.125 : 0.125;
    if (std::abs(v - 6) < 0.125) v += v < 6 ? -0.125 : 0.125;
    v = static_cast<double>(static_cast<float>(v));
  }
  return values;
}

template <class Activation>
inline OpRow activation_row(const std::string& name, Variable (*op)(const Variable&)) {
  return shape_row(name, [op](const Shape& shape, Random& r) {
    OpCase c;
    c.what = shape.to_string();
    c.shapes = {shape};
    c.inputs = {values_off_kinks(shape.size(), r)};
    c.op = [op](const auto& v) { return op(v[0]); };
    c.forward = [](const Inputs& in) { return reference::activate<Activation>(in[0]); };
    c.backward = [](const Inputs& in, const Values& dy) {
      return reference::activate_backward<Activation>(in[0], dy);
    };
    return c;
  });
}

inline OpCase add_case(const Shape& shape, Random& r) {
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape, shape};
  c.inputs = {random_values(shape.size(), r), random_values(shape.size(), r)};
  c.op = [](const auto& v) { return add(v[0], v[1]); };
  c.forward = [](const Inputs& in) { return reference::add(in[0], in[1]); };
  c.backward = [](const Inputs&, const Values& dy) { return reference::add_backward(dy); };
  return c;
}

inline OpCase weighted_sum_case(const Shape& shape, Random& r) {
  const double a = 0.125 * static_cast<double>(between(-16, 16, r));
  const double b = 0.125 * static_cast<double>(between(-16, 16, r));
  OpCase c = add_case(shape, r);
  c.what += ", " + std::to_string(a) + ", " + std::to_string(b);
  c.op = [=](const auto& v) { return weighted_sum(v[0], a, v[1], b); };
  c.forward = [=](const Inputs& in) { return reference::weighted_sum(in[0], a, in[1], b); };
  c.backward = [=](const Inputs&, const Values& dy) {
    return reference::weighted_sum_backward(dy, a, b);
  };
  return c;
}

inline OpCase flatten_case(const Shape& shape, Random& r) {
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape};
  c.inputs = {random_values(shape.size(), r)};
  c.op = [](const auto& v) { return flatten(v[0]); };
  c.forward = [](const Inputs& in) { return in[0]; };
  c.backward = [](const Inputs&, const Values& dy) { return Inputs{dy}; };
  return c;
}

inline OpCase dropout_case(const Shape& shape, Random& r) {
  const float rate = 0.125f * static_cast<float>(r.below(8));
  const std::uint64_t seed = r.bits64(), step = r.bits();
  const std::uint32_t name = r.bits();
  Random stream(seed, Stream::dropout, step, name);
  std::vector<float> draws(static_cast<std::size_t>(shape.size()));
  for (float& draw : draws) draw = stream.uniform();
  OpCase c;
  c.what = shape.to_string() + ", rate " + std::to_string(rate);
  c.shapes = {shape};
  c.inputs = {random_values(shape.size(), r)};
  c.op = [=](const auto& v) { return dropout(v[0], rate, seed, step, name); };
  c.forward = [=](const Inputs& in) { return reference::dropout(in[0], draws, rate); };
  c.backward = [=](const Inputs&, const Values& dy) {
    return reference::dropout_backward(dy, draws, rate);
  };
  return c;
}

// The case of an op with an activation behind it: `op` computes both.
template <class Activation>
inline OpCase with_activation(OpCase first, const std::string& name,
                              std::function<Variable(const std::vector<Variable>&)> op) {
  OpCase c = first;
  c.what += ", " + name;
  c.op = std::move(op);
  c.forward = [first](const Inputs& in) {
    return reference::activate<Activation>(first.forward(in));
  };
  c.backward = [first](const Inputs& in, const Values& dy) {
    const Inputs d = reference::activate_backward<Activation>(first.forward(in), dy);
    return first.backward(in, d[0]);
  };
  return c;
}

// With one row the variance is exactly 0 and the step of a finite difference cannot be small
// against epsilon; 0.5 keeps the function smooth there.
inline constexpr float kEpsilon = 0.5f;

// Outputs lie on either side of 0 and of 6; the same inputs whatever is behind.
inline OpCase batch_norm_case(const Shape& shape, bool train, Rectifier behind, Random& r) {
  const std::int64_t C = shape[-1];
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape, Shape{C}, Shape{C}};
  for (const Shape& s : c.shapes) c.inputs.push_back(random_values(s.size(), r));
  for (double& x : c.inputs[0]) x = static_cast<double>(static_cast<float>(3 * x + 1));
  for (double& scale : c.inputs[1]) scale = static_cast<double>(static_cast<float>(6 * scale));
  reference::Moments<double> m{random_values(C, r), random_values(C, r)};
  for (double& variance : m.variance) variance = std::abs(variance);
  const auto tensor = [C](const Values& v) {
    return Tensor::from(Shape{C}, std::vector<float>(v.begin(), v.end()));
  };
  c.op = [=, mean = tensor(m.mean), variance = tensor(m.variance)](const auto& v) {
    if (!train) return batch_norm_fixed(v[0], v[1], v[2], kEpsilon, mean, variance, behind);
    Tensor batch_mean, batch_variance;
    return batch_norm_train(v[0], v[1], v[2], kEpsilon, batch_mean, batch_variance, behind);
  };
  c.forward = [=](const Inputs& in) {
    return reference::batch_norm(in[0], in[1], in[2], train ? reference::moments(C, in[0]) : m,
                                 double{kEpsilon});
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return train ? reference::batch_norm_train_backward(in[0], in[1], double{kEpsilon}, dy)
                 : reference::batch_norm_fixed_backward(in[0], in[1], m, double{kEpsilon}, dy);
  };
  if (behind == Rectifier::relu) return with_activation<reference::Relu>(c, "relu", c.op);
  if (behind == Rectifier::relu6) return with_activation<reference::Relu6>(c, "relu6", c.op);
  return c;
}

// Small shapes also where they are random: among very many values one lies so near to a kink that
// float and double disagree about its side.
template <class Make>
inline OpRow rectified_row(const std::string& op, Make make) {
  OpRow row = shape_row(op, make);
  row.random = [make](Random& r) { return make(Shape{between(1, 40, r), between(1, 70, r)}, r); };
  return row;
}

inline OpRow batch_norm_row(const std::string& op, bool train) {
  const auto case_with = [train](Rectifier behind) {
    return [=](const Shape& shape, Random& r) { return batch_norm_case(shape, train, behind, r); };
  };
  OpRow row = shape_row(op, case_with(Rectifier::none));
  for (const Rectifier behind : {Rectifier::relu, Rectifier::relu6}) {
    const OpRow other = rectified_row(op, case_with(behind));
    row.small.insert(row.small.end(), other.small.begin(), other.small.end());
    row.random = [plain = row.random, rectified = other.random](Random& r) {
      return r.below(3) ? plain(r) : rectified(r);
    };
  }
  return row;
}

inline OpCase add_relu_case(const Shape& shape, Random& r) {
  return with_activation<reference::Relu>(add_case(shape, r), "relu",
                                          [](const auto& v) { return add_relu(v[0], v[1]); });
}

}  // namespace pare::testing
