// Rows of op_table.h for softmax and the losses. Included by op_table_test.cpp only.
#pragma once

#include <array>

#include "tests/framework/op_table.h"

namespace pare::testing {

inline OpCase softmax_case(const Shape& shape, Random& r) {
  const std::int64_t classes = shape[-1];
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape};
  c.inputs = {random_values(shape.size(), r)};
  c.op = [](const auto& v) { return softmax(v[0]); };
  c.forward = [=](const Inputs& in) { return reference::softmax(classes, in[0]); };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::softmax_backward(classes, in[0], dy);
  };
  return c;
}

inline OpCase with_distillation(OpCase c, std::int64_t batch, std::int64_t classes, Random& r) {
  const double temperature = 0.5 * static_cast<double>(between(1, 16, r));
  Values teacher = random_values(batch * classes, r);
  Tensor logits(Shape{batch, classes});
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    teacher[i] *= 4;
    logits.mutable_data()[i] = static_cast<float>(teacher[i]);
  }
  c.what += ", temperature " + std::to_string(temperature);
  c.op = [=](const auto& v) { return distillation_loss(v[0], logits, temperature); };
  c.forward = [=](const Inputs& in) {
    return reference::distillation_loss(classes, in[0], teacher, temperature);
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::distillation_loss_backward(classes, in[0], teacher, temperature, dy);
  };
  return c;
}

inline OpCase loss_case(const std::string& op, std::int64_t batch, std::int64_t classes,
                        Random& r) {
  const float smoothing = r.below(2) ? 0.0f : 0.125f;
  std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
  for (std::int32_t& label : labels) label = static_cast<std::int32_t>(between(0, classes - 1, r));
  OpCase c;
  c.what = Shape{batch, classes}.to_string();
  c.shapes = {Shape{batch, classes}};
  c.inputs = {random_values(batch * classes, r)};
  for (double& x : c.inputs[0]) x *= 4;
  if (op == "softmax_cross_entropy") {
    c.what += ", smoothing " + std::to_string(smoothing);
    c.op = [=](const auto& v) { return softmax_cross_entropy(v[0], labels, smoothing); };
    c.forward = [=](const Inputs& in) {
      return reference::softmax_cross_entropy(classes, in[0], labels, double{smoothing});
    };
    c.backward = [=](const Inputs& in, const Values& dy) {
      return reference::softmax_cross_entropy_backward(classes, in[0], labels, double{smoothing},
                                                       dy);
    };
    return c;
  }
  if (op == "distillation_loss") return with_distillation(std::move(c), batch, classes, r);
  c.op = [=](const auto& v) { return mean_squared_error(v[0], labels); };
  c.forward = [=](const Inputs& in) {
    return reference::mean_squared_error(classes, in[0], labels);
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::mean_squared_error_backward(classes, in[0], labels, dy);
  };
  return c;
}

inline OpRow loss_row(const std::string& op) {
  OpRow row{
      op, {}, [op](Random& r) { return loss_case(op, between(1, 70, r), between(1, 40, r), r); }};
  const std::vector<std::array<std::int64_t, 2>> sizes = {{1, 1},  {1, 2},  {3, 2},  {5, 10},
                                                          {7, 3},  {2, 17}, {11, 5}, {1, 31},
                                                          {13, 1}, {4, 16}, {3, 7},  {2, 10}};
  for (const auto [batch, classes] : sizes) {
    row.small.push_back([=, b = batch, k = classes](Random& r) { return loss_case(op, b, k, r); });
  }
  return row;
}

}  // namespace pare::testing
