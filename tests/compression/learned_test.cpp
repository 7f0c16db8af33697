// LSQ, PACT and DoReFa: the formulas of their papers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "compression/lower/final.h"
#include "compression/quantize/quantizer.h"
#include "compression/quantize_method.h"
#include "framework/config/config.h"
#include "layers/model_config.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

using Use = QuantizerPlace::Use;

QuantizerConfig config(const std::string& name, int bits, Scheme scheme) {
  QuantizerConfig c;
  c.quantizer = name;
  c.bits = bits;
  c.scheme = scheme;
  c.granularity = Granularity::per_tensor;
  return c;
}

Parameter& own_parameter(Quantizer& quantizer) {
  Parameter* own = nullptr;
  quantizer.visit_parameters([&](Parameter& p) { own = &p; });
  REQUIRE(own != nullptr);
  return *own;
}

struct Learned {
  std::vector<float> dx;
  double dsize = 0;
};

Learned gradients(Quantizer& quantizer, const Tensor& x, const Tensor& w) {
  Parameter& own = own_parameter(quantizer);
  own.release();
  Variable leaf(x, true);
  backward(weighted_sum(quantizer.quantize(leaf, Pass::begin(Pass::Mode::train, 1, 0)), w));
  const Learned result{{leaf.grad().values().begin(), leaf.grad().values().end()},
                       static_cast<double>(own.grad().data()[0])};
  own.release();
  return result;
}

// The surrogate behind a straight-through estimator: what is rounded keeps the distance to its code
// that it had at the point of the derivative.
//   lsq(s) = sum w * s * (clip(x / s) + c),  c = code - x / s at s0, 0 where clipped
TEST_CASE("LSQ: the step's gradient is that of its surrogate, by finite differences") {
  for (const bool weights : {true, false}) {
    for (const int bits : {2, 3, 4, 8}) {
      Tensor x = random_tensor({5, 40}, 11), w = random_tensor({200}, 12);
      if (!weights) {
        for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = std::fabs(x.data()[i]);
      }
      auto quantizer =
          make_quantizer(config("lsq", bits, weights ? Scheme::symmetric : Scheme::affine),
                         weights ? Use::weights : Use::activations, "x", x.shape(), 0);
      quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
      const double qn = weights ? (bits == 8 ? 127 : std::exp2(bits - 1)) : 0;
      const double qp = weights ? std::exp2(bits - 1) - 1 : std::exp2(bits) - 1;
      // Half the step at which it begins, so that some values are clipped.
      Parameter& own = own_parameter(*quantizer);
      double mean = 0;
      for (const float v : x.values()) mean += std::fabs(static_cast<double>(v)) / 200;
      CHECK(own.latent().data()[0] == doctest::Approx(2 * mean / std::sqrt(qp)));
      own.latent().mutable_data()[0] *= 0.5f;
      const double s0 = own.latent().data()[0];
      const auto surrogate = [&](double s) {
        double sum = 0;
        for (std::int64_t i = 0; i < x.size(); ++i) {
          const double v = x.data()[i] / s0;
          const bool inside = v > -qn && v < qp;
          const double y =
              inside ? s * (x.data()[i] / s + std::floor(v + 0.5) - v) : s * (v <= -qn ? -qn : qp);
          sum += y * w.data()[i];
        }
        return sum;
      };
      const double h = 1e-4 * s0;
      const double count = weights ? 200 : 40;  // of an activation: the features of one image
      const double expected =
          (surrogate(s0 + h) - surrogate(s0 - h)) / (2 * h) / std::sqrt(count * qp);
      const Learned got = gradients(*quantizer, x, w);
      CAPTURE(weights);
      CAPTURE(bits);
      CHECK(got.dsize == doctest::Approx(expected).epsilon(1e-4));
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const double v = x.data()[i] / s0;
        REQUIRE(got.dx[static_cast<std::size_t>(i)] == (v > -qn && v < qp ? w.data()[i] : 0.0f));
      }
    }
  }
}

TEST_CASE("LSQ below 8 bits has one code more below zero, never -128") {
  const Tensor x = random_tensor({300}, 5);
  for (const int bits : {2, 4, 8}) {
    auto quantizer =
        make_quantizer(config("lsq", bits, Scheme::symmetric), Use::weights, "x", x.shape(), 0);
    quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
    CHECK(quantizer->grid().format.qmin() == (bits == 8 ? -127 : -(1 << (bits - 1))));
  }
}

TEST_CASE("PACT: alpha gets the gradients of what it clips, and moves toward a smaller loss") {
  Tensor x = Tensor::persistent({1, 6});
  const float values[] = {0, 0.2f, 0.9f, 1.5f, 2.0f, 3.0f};
  std::copy(std::begin(values), std::end(values), x.mutable_data());
  const float weights[] = {1, 2, 3, 4, 5, 6};
  const Tensor w = Tensor::from({6}, weights);
  auto quantizer =
      make_quantizer(config("pact", 4, Scheme::affine), Use::activations, "x", x.shape(), 1);
  quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
  Parameter& alpha = own_parameter(*quantizer);
  CHECK(alpha.latent().data()[0] == 3.0f);  // the largest value of the first batch
  alpha.latent().mutable_data()[0] = 1.5f;
  const Learned got = gradients(*quantizer, x, w);
  CHECK(got.dsize == 4 + 5 + 6);  // x >= alpha
  CHECK(got.dx == std::vector<float>{0, 2, 3, 0, 0, 0});
  const Grid grid = quantizer->grid();
  CHECK(grid.scales[0] == 1.5f / 15);
  CHECK(to_real(grid.format.qmax(), grid.zero_points[0], grid.scales[0]) == doctest::Approx(1.5));
  // Descent on the squared error of what is clipped widens the range, step by step.
  double before = 1.5;
  for (int step = 0; step < 20; ++step) {
    Tensor error = Tensor::persistent({6});
    const Tensor y =
        quantizer->quantize(Variable(x), Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
    for (std::int64_t i = 0; i < 6; ++i) error.mutable_data()[i] = y.data()[i] - x.data()[i];
    alpha.latent().mutable_data()[0] -=
        0.05f * static_cast<float>(gradients(*quantizer, x, error).dsize);
    CHECK(alpha.latent().data()[0] > before);
    before = alpha.latent().data()[0];
  }
}

TEST_CASE("DoReFa: weights lie on odd multiples of 1 / (2^b - 1), by the formula of the paper") {
  const Tensor x = random_tensor({7, 11}, 21);
  for (const int bits : {2, 3, 7}) {
    auto quantizer =
        make_quantizer(config("dorefa", bits, Scheme::symmetric), Use::weights, "x", x.shape(), 0);
    quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
    const Tensor y = quantizer->quantize(Variable(x), Pass::begin(Pass::Mode::train, 1, 0)).value();
    double largest = 0;
    for (const float v : x.values())
      largest = std::max(largest, std::fabs(std::tanh(static_cast<double>(v))));
    const double n = std::exp2(bits) - 1;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double r = std::tanh(static_cast<double>(x.data()[i])) / (2 * largest) + 0.5;
      REQUIRE(y.data()[i] == doctest::Approx(2 * std::floor(n * r + 0.5) / n - 1).epsilon(1e-6));
    }
    CHECK(quantizer->grid().levels.size() == std::size_t{1} << bits);
    CHECK_FALSE(quantizer->traits().has_zero);
  }
}

TEST_CASE("DoReFa: weights get the gradient of tanh(w) / max|tanh w|, the maximum a constant") {
  const Tensor x = random_tensor({9, 13}, 22), w = random_tensor({117}, 23);
  double largest = 0;
  for (const float v : x.values())
    largest = std::max(largest, std::fabs(std::tanh(static_cast<double>(v))));
  for (const int bits : {2, 4, 7}) {
    auto quantizer =
        make_quantizer(config("dorefa", bits, Scheme::symmetric), Use::weights, "x", x.shape(), 0);
    quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
    Variable leaf(x, true);
    backward(weighted_sum(quantizer->quantize(leaf, Pass::begin(Pass::Mode::train, 1, 0)), w));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      // The rounding is left out of the surrogate: the estimator goes straight through it.
      const double at = x.data()[i], h = 1e-5;
      const double slope = (std::tanh(at + h) - std::tanh(at - h)) / (2 * h) / largest;
      REQUIRE(leaf.grad().data()[i] == doctest::Approx(w.data()[i] * slope).epsilon(1e-5));
    }
  }
}

TEST_CASE("DoReFa: activations are clip(x, 0, 1) in 2^b - 1 steps, or clip(x, -1, 1)") {
  const Tensor x = random_tensor({8, 50}, 24), w = random_tensor({400}, 25);
  for (const Scheme scheme : {Scheme::affine, Scheme::symmetric}) {
    for (const int bits : {2, 4, 7}) {
      CAPTURE(bits);
      const bool affine = scheme == Scheme::affine;
      const double low = affine ? 0 : -1,
                   n = affine ? std::exp2(bits) - 1 : std::exp2(bits - 1) - 1;
      auto quantizer =
          make_quantizer(config("dorefa", bits, scheme), Use::activations, "x", x.shape(), 1);
      REQUIRE(quantizer->ready());  // its range is fixed: there is nothing to observe
      Variable leaf(x, true);
      const Variable y = quantizer->quantize(leaf, Pass::begin(Pass::Mode::train, 1, 0));
      backward(weighted_sum(y, w));
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const double v = x.data()[i];
        const double expected = std::floor(n * std::clamp(v, low, 1.0) + 0.5) / n;
        REQUIRE(y.value().data()[i] == doctest::Approx(expected).epsilon(1e-6));
        if (v > low && v < 1) REQUIRE(leaf.grad().data()[i] == w.data()[i]);
        // Up to half a step beyond an end the code is the end's without being clamped.
        if (v < low - 0.5 / n || v > 1 + 0.5 / n) REQUIRE(leaf.grad().data()[i] == 0);
      }
    }
  }
}

TEST_CASE("DoReFa: an edge behind a relu has the range 0 to 1, any other -1 to 1") {
  const auto nodes = nlohmann::ordered_json::parse(R"([
    {"name": "a", "kind": "dense", "units": 4}, {"name": "b", "kind": "dense", "units": 4},
    {"name": "b_relu", "kind": "relu"}, {"name": "c", "kind": "dense", "units": 3}])");
  Network network = network_from_json(nodes, {5});
  network.initialize(1);
  QuantizeMethod method(config::read<QuantizeConfig>(config::load_text(
                            R"({"activations": {"quantizer": "dorefa", "bits": 4}})", "x")),
                        Composition::mask_then_quantize);
  method.attach(network);
  const NoGradient no_gradient;
  network.forward(Variable(random_tensor({2, 5}, 26)), Pass::begin(Pass::Mode::calibrate, 1, 0));
  network.release();
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const auto range = [&](const char* node) {
    const FinalEdge& edge = final.edges.at(node);
    return std::pair((edge.code_min - edge.zero_point) * edge.scale,
                     (edge.code_max - edge.zero_point) * edge.scale);
  };
  CHECK(range("a") == std::pair(-1.0f, 1.0f));
  CHECK(range("b_relu") == std::pair(0.0f, 1.0f));
}

}  // namespace
}  // namespace pare
