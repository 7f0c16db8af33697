// The rows of op_table.h, and the test that no op of the sources is without one.
#include "tests/framework/op_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace pare::testing {
namespace {

using Inputs = std::vector<Values>;
using Makers = std::vector<std::function<OpCase(Random&)>>;

// ---- dense and convolutions

OpCase dense_case(const reference::DenseShape& s, bool bias, Random& random) {
  OpCase c;
  c.what = Shape{s.batch, s.in, s.out}.to_string() + (bias ? "" : ", no bias");
  c.shapes = {Shape{s.batch, s.in}, Shape{s.out, s.in}};
  if (bias) c.shapes.push_back(Shape{s.out});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [bias](const auto& v) { return dense(v[0], v[1], bias ? v[2] : Variable()); };
  c.forward = [=](const Inputs& in) {
    return reference::dense(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::dense_backward(s, in[0], in[1], dy);
  };
  return c;
}

OpRow dense_row() {
  OpRow row{
      "dense", {}, [](Random& r) {
        const reference::DenseShape s{between(1, 70, r), between(1, 300, r), between(1, 140, r)};
        return dense_case(s, r.below(4) > 0, r);
      }};
  const std::vector<reference::DenseShape> shapes = {
      {1, 1, 1},  {1, 7, 3}, {3, 1, 5},  {5, 3, 1},  {2, 17, 2}, {7, 5, 3},
      {1, 33, 1}, {4, 4, 4}, {2, 3, 19}, {13, 2, 2}, {3, 11, 7}, {1, 16, 16}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    row.small.push_back([s = shapes[i], i](Random& r) { return dense_case(s, i % 3 != 2, r); });
  }
  return row;
}

ConvShape conv_shape(const ImageShape& image, std::int64_t out_channels, std::int64_t groups) {
  ConvShape s;
  static_cast<ImageShape&>(s) = image;
  s.out_channels = out_channels;
  s.groups = groups;
  return s;
}

OpCase conv_case(const ConvShape& s, bool bias, Random& random) {
  const Window w = s.window;
  OpCase c;
  c.what = text(s) + ", out " + std::to_string(s.out_channels) + ", groups " +
           std::to_string(s.groups) + (bias ? "" : ", no bias");
  c.shapes = {x_shape(s), Shape{s.out_channels, w.kernel_h, w.kernel_w, s.group_channels()}};
  if (bias) c.shapes.push_back(Shape{s.out_channels});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [=](const auto& v) { return conv2d(v[0], v[1], bias ? v[2] : Variable(), w, s.groups); };
  c.forward = [=](const Inputs& in) {
    return reference::conv2d(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::conv2d_backward(s, in[0], in[1], dy);
  };
  return c;
}

OpCase depthwise_case(const ConvShape& s, bool bias, Random& random) {
  const Window w = s.window;
  OpCase c;
  c.what = text(s) + ", out " + std::to_string(s.out_channels) + (bias ? "" : ", no bias");
  c.shapes = {x_shape(s), Shape{1, w.kernel_h, w.kernel_w, s.out_channels}};
  if (bias) c.shapes.push_back(Shape{s.out_channels});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [=](const auto& v) { return depthwise_conv2d(v[0], v[1], bias ? v[2] : Variable(), w); };
  c.forward = [=](const Inputs& in) {
    return reference::depthwise_conv2d(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::depthwise_conv2d_backward(s, in[0], in[1], dy);
  };
  return c;
}

// Batch, height, width, channels, then the window as kernel, stride, pads.
const std::vector<ImageShape>& small_images() {
  static const std::vector<ImageShape> images = {
      {1, 1, 1, 1, {1, 1, 1, 1, 0, 0, 0, 0}},   // everything is one
      {1, 5, 7, 2, {3, 3, 1, 1, 0, 0, 0, 0}},   // valid
      {2, 5, 3, 1, {3, 3, 1, 1, 1, 1, 1, 1}},   // same
      {1, 7, 5, 2, {2, 3, 2, 2, 0, 1, 0, 1}},   // stride 2, pads in one direction
      {1, 7, 7, 1, {2, 2, 3, 3, 0, 0, 0, 0}},   // stride > kernel: pixels that nobody reads
      {3, 3, 5, 2, {1, 1, 1, 1, 0, 0, 0, 0}},   // pointwise
      {1, 5, 5, 2, {1, 1, 2, 3, 0, 0, 0, 0}},   // pointwise, strided
      {1, 4, 6, 2, {4, 6, 1, 1, 0, 0, 0, 0}},   // the window is the image
      {2, 2, 3, 2, {3, 3, 2, 1, 2, 2, 1, 0}},   // the kernel is larger than the image
      {1, 6, 5, 4, {3, 2, 2, 1, 1, 0, 2, 1}},   // pads differ on every side
      {2, 1, 11, 2, {1, 5, 1, 2, 0, 4, 0, 3}},  // one row
      {1, 11, 1, 4, {5, 1, 3, 1, 2, 0, 4, 0}},  // one column
      {1, 4, 4, 2, {2, 2, 2, 2, 0, 0, 0, 0}},   // windows tile the image
      {1, 5, 5, 2, {3, 3, 2, 2, 0, 0, 0, 0}},   // overlap
      {5, 3, 3, 6, {2, 2, 1, 1, 1, 1, 0, 0}},   // `same` of an even kernel, other way round
  };
  return images;
}

OpRow conv_row() {
  OpRow row{"conv2d", {}, [](Random& r) {
              const std::int64_t groups = r.below(3) ? 1 : between(1, 4, r);
              ImageShape image = random_image(r, 40, false);
              if (groups > 1) image.channels = groups * between(1, 9, r);
              return conv_case(conv_shape(image, groups * between(1, 75 / groups, r), groups),
                               r.below(4) > 0, r);
            }};
  for (std::size_t i = 0; i < small_images().size(); ++i) {
    const ImageShape& image = small_images()[i];
    const std::int64_t groups = i % 4 == 3 ? image.channels : i == 14 ? 3 : 1;
    const ConvShape s = conv_shape(image, groups * (i % 3 + 1), groups);
    row.small.push_back([=](Random& r) { return conv_case(s, i % 5 != 2, r); });
  }
  return row;
}

OpRow depthwise_row() {
  OpRow row{"depthwise_conv2d", {}, [](Random& r) {
              const ImageShape image = random_image(r, 40, false);
              return depthwise_case(conv_shape(image, image.channels * between(1, 3, r), 1),
                                    r.below(4) > 0, r);
            }};
  for (std::size_t i = 0; i < small_images().size(); ++i) {
    const ImageShape& image = small_images()[i];
    const ConvShape s = conv_shape(image, image.channels * (i % 3 == 1 ? 2 : 1), 1);
    row.small.push_back([=](Random& r) { return depthwise_case(s, i % 5 != 2, r); });
  }
  return row;
}

// ---- pools

// Distinct values at least 1/16 apart, so that a small step changes no order.
Values distinct_values(std::int64_t count, Random& random) {
  Values values;
  for (const std::int32_t i : permutation(count, Random(random.bits(), Stream::test))) {
    values.push_back((i - count / 2) * 0.0625);
  }
  return values;
}

OpCase pool_case(const ImageShape& s, const std::string& op, Random& random) {
  OpCase c;
  c.what = text(s);
  c.shapes = {x_shape(s)};
  c.inputs = {distinct_values(c.shapes[0].size(), random)};
  if (op == "max_pool2d") {
    c.op = [w = s.window](const auto& v) { return max_pool2d(v[0], w); };
    c.forward = [s](const Inputs& in) { return reference::max_pool2d(s, in[0]); };
    c.backward = [s](const Inputs& in, const Values& dy) {
      return reference::max_pool2d_backward(s, in[0], dy);
    };
    return c;
  }
  const bool global = op == "global_average_pool2d";
  const ImageShape shape = global ? reference::whole_image(s) : s;
  c.op = [=](const auto& v) {
    return global ? global_average_pool2d(v[0]) : average_pool2d(v[0], s.window);
  };
  c.forward = [=](const Inputs& in) { return reference::average_pool2d(shape, in[0]); };
  c.backward = [=](const Inputs&, const Values& dy) {
    return reference::average_pool2d_backward(shape, dy);
  };
  return c;
}

OpRow pool_row(const std::string& op) {
  OpRow row{op, {}, [op](Random& r) { return pool_case(random_image(r, 70, true), op, r); }};
  for (ImageShape image : small_images()) {
    Window& w = image.window;
    w.pad_top = std::min(w.pad_top, w.kernel_h - 1);
    w.pad_bottom = std::min(w.pad_bottom, w.kernel_h - 1);
    w.pad_left = std::min(w.pad_left, w.kernel_w - 1);
    w.pad_right = std::min(w.pad_right, w.kernel_w - 1);
    row.small.push_back([=](Random& r) { return pool_case(image, op, r); });
  }
  return row;
}

// ---- elementwise

const std::vector<Shape>& small_shapes() {
  static const std::vector<Shape> shapes = {
      Shape{1, 1},       Shape{1, 7},       Shape{7, 1},  Shape{3, 5},       Shape{2, 17},
      Shape{5, 16},      Shape{1, 33},      Shape{11, 3}, Shape{1, 1, 1, 1}, Shape{2, 3, 5, 1},
      Shape{1, 4, 4, 3}, Shape{2, 2, 3, 5}, Shape{13, 2}, Shape{1, 1, 1, 7}, Shape{3, 1, 2, 11}};
  return shapes;
}

Shape random_shape(Random& r) {
  if (r.below(2)) return Shape{between(1, 64, r), between(1, 300, r)};
  return Shape{between(1, 9, r), between(1, 20, r), between(1, 20, r), between(1, 70, r)};
}

// `make(shape, random)` for the small shapes and for random ones.
template <class Make>
OpRow shape_row(const std::string& op, Make make) {
  OpRow row{op, {}, [make](Random& r) { return make(random_shape(r), r); }};
  for (const Shape& shape : small_shapes()) {
    row.small.push_back([=](Random& r) { return make(shape, r); });
  }
  return row;
}

// Values in about [-8, 8], at least 1/8 away from the kinks at 0 and 6.
Values values_off_kinks(std::int64_t count, Random& random) {
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
OpRow activation_row(const std::string& name, Variable (*op)(const Variable&)) {
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

OpCase add_case(const Shape& shape, Random& r) {
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape, shape};
  c.inputs = {random_values(shape.size(), r), random_values(shape.size(), r)};
  c.op = [](const auto& v) { return add(v[0], v[1]); };
  c.forward = [](const Inputs& in) { return reference::add(in[0], in[1]); };
  c.backward = [](const Inputs&, const Values& dy) { return reference::add_backward(dy); };
  return c;
}

OpCase flatten_case(const Shape& shape, Random& r) {
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape};
  c.inputs = {random_values(shape.size(), r)};
  c.op = [](const auto& v) { return flatten(v[0]); };
  c.forward = [](const Inputs& in) { return in[0]; };
  c.backward = [](const Inputs&, const Values& dy) { return Inputs{dy}; };
  return c;
}

OpCase dropout_case(const Shape& shape, Random& r) {
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

// ---- batch norm

// With one row the variance is exactly 0 and the step of a finite difference cannot be small
// against epsilon; 0.5 keeps the function smooth there.
constexpr float kEpsilon = 0.5f;

OpCase batch_norm_case(const Shape& shape, bool train, Random& r) {
  const std::int64_t C = shape[-1];
  OpCase c;
  c.what = shape.to_string();
  c.shapes = {shape, Shape{C}, Shape{C}};
  for (const Shape& s : c.shapes) c.inputs.push_back(random_values(s.size(), r));
  for (double& x : c.inputs[0]) x = static_cast<double>(static_cast<float>(3 * x + 1));
  if (train) {
    c.op = [](const auto& v) {
      Tensor mean, variance;
      return batch_norm_train(v[0], v[1], v[2], kEpsilon, mean, variance);
    };
    c.forward = [C](const Inputs& in) {
      return reference::batch_norm(in[0], in[1], in[2], reference::moments(C, in[0]),
                                   double{kEpsilon});
    };
    c.backward = [](const Inputs& in, const Values& dy) {
      return reference::batch_norm_train_backward(in[0], in[1], double{kEpsilon}, dy);
    };
    return c;
  }
  reference::Moments<double> m{random_values(C, r), random_values(C, r)};
  for (double& variance : m.variance) variance = std::abs(variance);
  const auto tensor = [C](const Values& v) {
    return Tensor::from(Shape{C}, std::vector<float>(v.begin(), v.end()));
  };
  c.op = [mean = tensor(m.mean), variance = tensor(m.variance)](const auto& v) {
    return batch_norm_fixed(v[0], v[1], v[2], kEpsilon, mean, variance);
  };
  c.forward = [m](const Inputs& in) {
    return reference::batch_norm(in[0], in[1], in[2], m, double{kEpsilon});
  };
  c.backward = [m](const Inputs& in, const Values& dy) {
    return reference::batch_norm_fixed_backward(in[0], in[1], m, double{kEpsilon}, dy);
  };
  return c;
}

// ---- softmax and losses

OpCase softmax_case(const Shape& shape, Random& r) {
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

OpCase loss_case(const std::string& op, std::int64_t batch, std::int64_t classes, Random& r) {
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
  c.op = [=](const auto& v) { return mean_squared_error(v[0], labels); };
  c.forward = [=](const Inputs& in) {
    return reference::mean_squared_error(classes, in[0], labels);
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::mean_squared_error_backward(classes, in[0], labels, dy);
  };
  return c;
}

OpRow loss_row(const std::string& op) {
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

}  // namespace

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = {
      dense_row(),
      conv_row(),
      depthwise_row(),
      pool_row("max_pool2d"),
      pool_row("average_pool2d"),
      pool_row("global_average_pool2d"),
      shape_row("batch_norm_train",
                [](const Shape& s, Random& r) { return batch_norm_case(s, true, r); }),
      shape_row("batch_norm_fixed",
                [](const Shape& s, Random& r) { return batch_norm_case(s, false, r); }),
      activation_row<reference::Relu>("relu", relu),
      activation_row<reference::Relu6>("relu6", relu6),
      activation_row<reference::Sigmoid>("sigmoid", sigmoid),
      activation_row<reference::Tanh>("tanh", tanh),
      shape_row("softmax", softmax_case),
      shape_row("add", add_case),
      shape_row("flatten", flatten_case),
      shape_row("dropout", dropout_case),
      loss_row("softmax_cross_entropy"),
      loss_row("mean_squared_error"),
  };
  return table;
}

namespace {

// Ops without a derivative to check, with what they declare in its place.
const std::map<std::string, std::string>& declared_surrogates() {
  static const std::map<std::string, std::string> ops = {
      {"tap", "the identity; keeps a copy of the gradient"},
      {"mask", "straight-through or masked, as the mask's settings say"},
      {"fake_quantize", "straight-through inside the grid's range, zero outside"},
      {"average_codes", "straight-through: the rounding of an average"},
  };
  return ops;
}

// Every name that a source of ours passes to record().
std::set<std::string> recorded_ops() {
  namespace fs = std::filesystem;
  const std::regex call("\\brecord\\(\\s*\"([^\"]+)\"");
  std::set<std::string> names;
  for (const char* folder : {"framework", "layers", "compression", "optim", "apps"}) {
    const fs::path root = fs::path(PARE_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      std::stringstream source;
      source << std::ifstream(entry.path()).rdbuf();
      const std::string code = source.str();
      for (std::sregex_iterator i(code.begin(), code.end(), call), end; i != end; ++i) {
        names.insert((*i)[1]);
      }
    }
  }
  return names;
}

}  // namespace

TEST_CASE("every recorded op has a row in the table, and every row is a recorded op") {
  std::set<std::string> rows;
  for (const OpRow& row : op_table()) {
    CHECK_MESSAGE(rows.insert(row.op).second, row.op, " has two rows");
    CHECK_MESSAGE(row.small.size() >= 12, row.op);
  }
  const std::set<std::string> recorded = recorded_ops();
  CHECK(recorded.size() >= rows.size());
  for (const std::string& op : recorded) {
    CHECK_MESSAGE((rows.count(op) || declared_surrogates().count(op)), "no gradient check for op ",
                  op);
  }
  for (const std::string& op : rows) CHECK_MESSAGE(recorded.count(op), "no source records ", op);
}

}  // namespace pare::testing
