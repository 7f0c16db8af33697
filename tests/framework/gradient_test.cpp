// The backward kernels of the reference against finite differences of its forward kernels: the full
// Jacobian, in double.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/framework/op_table.h"

namespace pare::testing {
namespace {

constexpr double kStep = 1e-6;
constexpr double kAbsolute = 1e-7;
constexpr double kRelative = 1e-5;

// jacobian[output][position over all inputs], by central differences.
std::vector<Values> measured_jacobian(const OpCase& c) {
  std::vector<Values> jacobian(c.forward(c.inputs).size());
  std::vector<Values> inputs = c.inputs;
  for (Values& input : inputs) {
    for (double& x : input) {
      const double kept = x;
      x = kept + kStep;
      const Values above = c.forward(inputs);
      x = kept - kStep;
      const Values below = c.forward(inputs);
      x = kept;
      for (std::size_t o = 0; o < above.size(); ++o) {
        jacobian[o].push_back((above[o] - below[o]) / (2 * kStep));
      }
    }
  }
  return jacobian;
}

// Row `output` of the Jacobian as the backward kernel says.
Values computed_row(const OpCase& c, std::size_t outputs, std::size_t output) {
  Values dy(outputs, 0.0);
  dy[output] = 1;
  Values row;
  const std::vector<Values> gradients = c.backward(c.inputs, dy);
  for (std::size_t i = 0; i < c.inputs.size();
       ++i) {  // a missing bias has a gradient, but is no input
    row.insert(row.end(), gradients[i].begin(), gradients[i].end());
  }
  return row;
}

std::string first_difference(const Values& computed, const Values& measured) {
  if (computed.size() != measured.size()) return "sizes differ";
  for (std::size_t i = 0; i < computed.size(); ++i) {
    if (!(std::abs(computed[i] - measured[i]) <= kAbsolute + kRelative * std::abs(measured[i]))) {
      return "element " + std::to_string(i) + ": computed " + std::to_string(computed[i]) +
             ", measured " + std::to_string(measured[i]);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("reference gradients equal finite differences in double") {
  for (const OpRow& row : op_table()) {
    for (std::size_t i = 0; i < row.small.size(); ++i) {
      Random random(1, Stream::test, i, name_hash(row.op));
      const OpCase c = row.small[i](random);
      const std::vector<Values> measured = measured_jacobian(c);
      REQUIRE_MESSAGE(!measured.empty(), row.op, " ", c.what);
      for (std::size_t o = 0; o < measured.size(); ++o) {
        const std::string difference =
            first_difference(computed_row(c, measured.size(), o), measured[o]);
        REQUIRE_MESSAGE(difference.empty(), row.op, " ", c.what, ", output ", o, ", ", difference);
      }
    }
  }
}

TEST_CASE("the kinks of relu and relu6 have gradient zero, and a NaN passes") {
  const Values x = {-1, -0.0, 0, 6, 7, NAN};
  const Values dy(6, 1.0);
  const Values relu = reference::activate_backward<reference::Relu>(x, dy)[0];
  CHECK(relu == Values{0, 0, 0, 1, 1, 1});
  const Values relu6 = reference::activate_backward<reference::Relu6>(x, dy)[0];
  CHECK(relu6 == Values{0, 0, 0, 0, 0, 1});
  CHECK(std::isnan(reference::activate<reference::Relu>(x)[5]));
  CHECK(std::isnan(reference::activate<reference::Relu6>(x)[5]));
}

TEST_CASE("among equal maxima the first one of the window gets the gradient") {
  const ImageShape s{1, 2, 2, 1, {2, 2, 2, 2, 0, 0, 0, 0}};
  CHECK(reference::max_pool2d_backward(s, Values{3, 5, 5, 5}, Values{2})[0] == Values{0, 2, 0, 0});
}

TEST_CASE("reference values agree with numbers worked by hand") {
  // 1x2x2x1 image, 2x2 kernel: 1*10 + 2*20 + 3*30 + 4*40 + 5.
  ConvShape s;
  static_cast<ImageShape&>(s) = {1, 2, 2, 1, {2, 2, 1, 1, 0, 0, 0, 0}};
  CHECK(reference::conv2d(s, Values{1, 2, 3, 4}, Values{10, 20, 30, 40}, Values{5}) == Values{305});
  CHECK(reference::dense({1, 2, 2}, Values{1, 2}, Values{3, 4, 5, 6}, Values{1, 0}) ==
        Values{12, 17});
  // Uniform logits: the loss is log(classes), whatever the smoothing.
  CHECK(reference::softmax_cross_entropy(4, Values(8, 0.5), {0, 3}, 0.1)[0] ==
        doctest::Approx(std::log(4.0)));
  CHECK(reference::average_pool2d({1, 1, 3, 1, {1, 2, 1, 2, 0, 1, 0, 0}}, Values{1, 2, 6}) ==
        Values{1, 4});
}

}  // namespace pare::testing
