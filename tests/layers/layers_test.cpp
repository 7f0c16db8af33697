#include <cmath>

#include "layers/activation.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pool.h"
#include "layers/shape_layers.h"
#include "tests/layers/helpers.h"

namespace pare {
namespace {

using namespace testing;

Shape built(Module& module, std::vector<Shape> inputs) {
  module.set_name("node");
  return module.build(inputs);
}

Conv2d conv(Conv2dOptions options) { return Conv2d(options); }

TEST_CASE("valid, same and numeric padding give the windows of TensorFlow") {
  const auto window = [](Extent kernel, Extent stride, Padding padding, Shape input) {
    return resolve_window(kernel, stride, padding, input);
  };
  const Padding same{Padding::Kind::same, 0};
  const Window even = window({3, 3}, {2, 2}, same, {1, 28, 28, 1});
  // out = 14, total = 13 * 2 + 3 - 28 = 1: all of it behind the image.
  CHECK(even.out_h(28) == 14);
  CHECK(even.pad_top == 0);
  CHECK(even.pad_bottom == 1);
  const Window odd = window({5, 2}, {1, 3}, same, {1, 7, 8, 1});
  CHECK(odd.out_h(7) == 7);
  CHECK(odd.pad_top == 2);
  CHECK(odd.pad_bottom == 2);
  CHECK(odd.out_w(8) == 3);  // ceil(8 / 3)
  CHECK(odd.pad_left == 0);  // 2 * 3 + 2 - 8 = 0
  CHECK(odd.pad_right == 0);
  const Window skipping = window({1, 1}, {2, 2}, same, {1, 5, 5, 1});
  CHECK(skipping.out_h(5) == 3);  // total would be negative: none
  CHECK(skipping.pad_bottom == 0);
  const Window number = window({3, 3}, {1, 1}, {Padding::Kind::pixels, 2}, {1, 4, 4, 1});
  CHECK(number.out_w(4) == 6);
  CHECK(number.pad_right == 2);
}

TEST_CASE("windows that cannot be are refused with what would fit") {
  CHECK(
      message([] {
        resolve_window({5, 5}, {1, 1}, {}, {1, 3, 8, 1});
      }) ==
      "expected an image of at least 5 x 5 (the kernel), got 3 x 8 with its padding; try a smaller "
      "kernel or \"padding\": \"same\"");
  CHECK(message([] {
          resolve_window({3, 2}, {1, 1}, {Padding::Kind::pixels, 2}, {1, 9, 9, 1});
        }) == "expected a padding smaller than the kernel (3 x 2), got 2");
}

TEST_CASE("a convolution's weight is [filters, kh, kw, in / groups] and its channels come first") {
  Conv2d layer = conv({.filters = 6, .kernel = {3, 5}, .stride = {2, 1}, .groups = 2});
  CHECK(built(layer, {{1, 9, 9, 4}}) == Shape{1, 4, 5, 6});
  CHECK(layer.weight().shape() == Shape{6, 3, 5, 2});
  CHECK(layer.weight().channel_axis() == 0);
  CHECK(layer.weight().decays());
  REQUIRE(layer.bias() != nullptr);
  CHECK(layer.bias()->shape() == Shape{6});
  CHECK_FALSE(layer.bias()->decays());
  CHECK(layer.macs() == 4 * 5 * 6 * 3 * 5 * 2);
  CHECK(layer.window().stride_h == 2);
  CHECK(layer.groups() == 2);
}

TEST_CASE("a convolution's groups must divide inputs and filters") {
  Conv2d filters = conv({.filters = 5, .kernel = {1, 1}, .groups = 2});
  CHECK(message([&] {
          built(filters, {{1, 4, 4, 4}});
        }) == "expected filters to be a multiple of groups (2), got 5");
  Conv2d channels = conv({.filters = 4, .kernel = {1, 1}, .groups = 2});
  CHECK(message([&] {
          built(channels, {{1, 4, 4, 3}});
        }) == "expected the input's channels to be a multiple of groups (2), got 3");
}

TEST_CASE("a depthwise convolution's weight is [1, kh, kw, channels] with the channels last") {
  DepthwiseConv2d layer({.kernel = {3, 3}, .multiplier = 2, .bias = false});
  CHECK(built(layer, {{1, 5, 5, 4}}) == Shape{1, 3, 3, 8});
  CHECK(layer.weight().shape() == Shape{1, 3, 3, 8});
  CHECK(layer.weight().channel_axis() == 3);
  CHECK(layer.bias() == nullptr);
  CHECK(layer.macs() == 9 * 9 * 8);
}

TEST_CASE("a dense layer wants vectors") {
  Dense layer({.units = 10});
  CHECK(message([&] {
          built(layer, {{1, 7, 7, 64}});
        }) ==
        "expected an input [batch, features], got [1, 7, 7, 64]; put a flatten or a "
        "global_avg_pool2d and a flatten before it");
  CHECK(built(layer, {{1, 12}}) == Shape{1, 10});
  CHECK(layer.weight().shape() == Shape{10, 12});
}

TEST_CASE("no layer takes more weights than the integer engine") {
  Dense layer({.units = 65536});
  CHECK(message([&] {
          built(layer, {{1, 1025}});
        }) == "expected at most 67108864 weights, got 67174400 (weight [65536, 1025])");
}

TEST_CASE("a pool's stride is its size unless it is given") {
  MaxPool2d plain({.size = {2, 3}});
  CHECK(built(plain, {{1, 9, 9, 4}}) == Shape{1, 4, 3, 4});
  AvgPool2d dense_windows({.size = {2, 2}, .stride = Extent{1, 1}});
  CHECK(built(dense_windows, {{1, 9, 9, 4}}) == Shape{1, 8, 8, 4});
  GlobalAvgPool2d global;
  CHECK(built(global, {{1, 9, 7, 4}}) == Shape{1, 1, 1, 4});
}

TEST_CASE("an add wants two inputs of one shape") {
  Add one;
  CHECK(message([&] {
          built(one, {{1, 4}});
        }) == "expected two inputs, got 1; name them: \"inputs\": [\"a\", \"b\"]");
  CHECK(message([&] {
          built(one, {{1, 4}, {1, 5}});
        }) == "expected two inputs of one shape, got [1, 4] and [1, 5]");
  CHECK(built(one, {{1, 4}, {1, 4}}) == Shape{1, 4});
}

TEST_CASE("flatten keeps the order of the values") {
  Flatten layer;
  CHECK(built(layer, {{1, 2, 3, 4}}) == Shape{1, 24});
}

TEST_CASE("he draws with variance 2 / fan_in, glorot within its bounds") {
  const auto weights = [](Init init) {
    Dense layer({.units = 300, .init = init});
    built(layer, {{1, 200}});
    layer.initialize(3);
    return layer.weight().latent().clone();
  };
  const auto moment = [](const Tensor& w, int power) {
    double sum = 0;
    for (const float x : w.values()) sum += std::pow(static_cast<double>(x), power);
    return sum / static_cast<double>(w.size());
  };
  const Tensor he = weights(Init::he);  // 60,000 values: standard error of the variance 0.6 %
  CHECK(std::abs(moment(he, 1)) < 4 * 0.1 / std::sqrt(60000.0));
  CHECK(moment(he, 2) == doctest::Approx(0.01).epsilon(0.03));
  CHECK(moment(he, 4) == doctest::Approx(3 * 0.0001).epsilon(0.1));  // a normal's
  const Tensor glorot = weights(Init::glorot);
  const double bound = std::sqrt(6.0 / 500);
  double largest = 0;
  for (const float x : glorot.values())
    largest = std::max(largest, std::abs(static_cast<double>(x)));
  CHECK(largest <= bound * 1.000001);
  CHECK(largest > bound * 0.999);
  CHECK(moment(glorot, 2) == doctest::Approx(bound * bound / 3).epsilon(0.03));
}

TEST_CASE("dropout acts in training only, differently at each step and node") {
  const auto dropped = [](const std::string& name, const Pass& pass) {
    Dropout layer({.rate = 0.5});
    const std::vector<Shape> shapes = {{1, 64}};
    layer.set_name(name);
    layer.build(shapes);
    const std::vector<Variable> inputs = {Variable(Tensor::full({1, 64}, 1))};
    const Tensor y = layer.forward(inputs, pass).value();
    return std::vector<float>(y.values().begin(), y.values().end());
  };
  CHECK(dropped("d", evaluating()) == std::vector<float>(64, 1.0f));
  const auto step0 = dropped("d", training(0));
  CHECK(step0 == dropped("d", training(0)));
  CHECK(step0 != dropped("d", training(1)));
  CHECK(step0 != dropped("e", training(0)));
  for (const float x : step0) CHECK((x == 0.0f || x == 2.0f));
}

TEST_CASE("activations are what their names say") {
  const auto apply = [](const char* kind) {
    const auto module = make_activation(kind);
    CHECK(module->kind() == kind);
    const std::vector<Variable> inputs = {Variable(tensor({1, 3}, {-1, 0.5f, 8}))};
    return module->forward(inputs, evaluating()).value();
  };
  check_close(apply("relu"), {0, 0.5, 8});
  check_close(apply("relu6"), {0, 0.5, 6});
  check_close(apply("sigmoid"), {0.26894142, 0.62245933, 0.99966465});
  check_close(apply("tanh"), {-0.76159416, 0.46211716, 0.99999977});
  check_close(apply("softmax"), {0.00012332, 0.00055271, 0.99932397});
}

}  // namespace
}  // namespace pare
