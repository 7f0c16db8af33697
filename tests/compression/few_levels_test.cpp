// Binary, ternary, TTQ, log2, APoT and codebook: the property by which each is known.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compression/quantize/clusters.h"
#include "compression/quantize/powers.h"
#include "compression/quantize/quantizer.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

using Use = QuantizerPlace::Use;

Pass training() { return Pass::begin(Pass::Mode::train, 1, 0); }

std::unique_ptr<Quantizer> made(const QuantizerConfig& config, const Tensor& x) {
  auto quantizer = make_quantizer(config, Use::weights, "w", x.shape(), 0);
  quantizer->observe(x, training());
  return quantizer;
}

QuantizerConfig named(const std::string& name, int bits) {
  QuantizerConfig config;
  config.quantizer = name;
  config.bits = bits;
  if (quantizer_row(name).one_grid) config.granularity = Granularity::per_tensor;
  return config;
}

// The distinct values of row c.
std::set<float> values_of(const Tensor& y, std::int64_t c) {
  const std::int64_t row = y.shape()[1];
  return {y.data() + c * row, y.data() + (c + 1) * row};
}

struct GradientsOf {
  std::vector<float> latent;  // empty: none
  std::vector<std::vector<float>> own;
};
GradientsOf gradients(Quantizer& quantizer, const Tensor& x, const Tensor& w) {
  Variable leaf(x, true);
  backward(weighted_sum(quantizer.quantize(leaf, training()), w));
  GradientsOf result{{}, {}};
  if (leaf.grad().defined())
    result.latent.assign(leaf.grad().values().begin(), leaf.grad().values().end());
  quantizer.visit_parameters([&](Parameter& own) {
    result.own.emplace_back(own.grad().values().begin(), own.grad().values().end());
    own.release();
  });
  return result;
}

TEST_CASE("binary: two levels a channel, the mean magnitude; the gradient of XNOR-Net") {
  const Tensor x = random_tensor({3, 50}, 1), w = random_tensor({150}, 2);
  auto quantizer = made(named("binary", 1), x);
  const Tensor y = quantizer->quantize(Variable(x), training()).value();
  const GradientsOf got = gradients(*quantizer, x, w);
  for (std::int64_t c = 0; c < 3; ++c) {
    double alpha = 0;
    for (std::int64_t i = c * 50; i < (c + 1) * 50; ++i)
      alpha += std::fabs(static_cast<double>(x.data()[i])) / 50;
    const auto a = static_cast<float>(alpha);
    CHECK(values_of(y, c) == std::set<float>{-a, a});
    for (std::int64_t i = c * 50; i < (c + 1) * 50; ++i) {
      REQUIRE((y.data()[i] > 0) == (x.data()[i] >= 0));
      const float factor = 1.0f / 50 + (std::fabs(x.data()[i]) <= 1 ? a : 0);
      REQUIRE(got.latent[static_cast<std::size_t>(i)] ==
              doctest::Approx(w.data()[i] * factor).epsilon(1e-5));
    }
  }
  QuantizerConfig one = named("binary", 1);
  one.scale = ScaleKind::one;
  const Tensor signs = made(one, x)->quantize(Variable(x), training()).value();
  CHECK(values_of(signs, 0) == std::set<float>{-1, 1});
}

TEST_CASE("BinaryConnect, stochastic: +1 with probability (w + 1) / 2, the sign afterwards") {
  QuantizerConfig config = named("binary", 1);
  config.scale = ScaleKind::one;
  config.rounding = RoundingMode::stochastic;
  std::vector<float> values;
  for (int i = 0; i < 4000; ++i) values.push_back(i % 2 == 0 ? 0.5f : -2.0f);
  const Tensor x = Tensor::from({1, 4000}, values);
  auto quantizer = made(config, x);
  CHECK_FALSE(quantizer->traits().deterministic);
  const Tensor y = quantizer->quantize(Variable(x), training()).value();
  int up = 0;
  for (std::int64_t i = 0; i < 4000; ++i) {
    REQUIRE(std::fabs(y.data()[i]) == 1);
    if (i % 2 == 0) up += y.data()[i] > 0;
    if (i % 2 == 1) REQUIRE(y.data()[i] == -1);  // probability 0
  }
  CHECK(std::fabs(up / 2000.0 - 0.75) < 5 * std::sqrt(0.75 * 0.25 / 2000));
  const Tensor next = quantizer->quantize(Variable(x), Pass::begin(Pass::Mode::train, 1, 1)).value();
  CHECK_FALSE(std::equal(y.values().begin(), y.values().end(), next.values().begin()));
  const Pass evaluation = Pass::begin(Pass::Mode::evaluate, 1, 0);
  const Tensor sign = quantizer->quantize(Variable(x), evaluation).value();
  for (std::int64_t i = 0; i < 4000; ++i) REQUIRE(sign.data()[i] == (i % 2 == 0 ? 1 : -1));
  const Tensor w = random_tensor({4000}, 2);
  const GradientsOf got = gradients(*quantizer, x, w);
  for (std::int64_t i = 0; i < 4000; ++i)
    REQUIRE(got.latent[static_cast<std::size_t>(i)] == (i % 2 == 0 ? w.data()[i] : 0));
}

TEST_CASE("ternary: three levels a channel, by the threshold 0.7 mean |w|") {
  const Tensor x = random_tensor({3, 60}, 3);
  const Tensor y = made(named("ternary", 2), x)->quantize(Variable(x), training()).value();
  for (std::int64_t c = 0; c < 3; ++c) {
    double mean = 0, alpha = 0;
    int kept = 0;
    for (std::int64_t i = c * 60; i < (c + 1) * 60; ++i)
      mean += std::fabs(static_cast<double>(x.data()[i])) / 60;
    for (std::int64_t i = c * 60; i < (c + 1) * 60; ++i) {
      const double magnitude = std::fabs(static_cast<double>(x.data()[i]));
      if (magnitude > 0.7 * mean) alpha += magnitude, ++kept;
      REQUIRE((y.data()[i] == 0) == (magnitude <= 0.7 * mean));
    }
    const auto a = static_cast<float>(alpha / kept);
    CHECK(values_of(y, c) == std::set<float>{-a, 0, a});
  }
}

TEST_CASE("TTQ: a scale for each sign, each with the gradient of its weights") {
  const float values[] = {-1.0f, -0.4f, -0.01f, 0.0f, 0.02f, 0.3f, 0.8f, 0.5f};
  const float weights[] = {1, 2, 3, 4, 5, 6, 7, 8};
  const Tensor x = Tensor::from({2, 4}, values), w = Tensor::from({8}, weights);
  auto quantizer = made(named("ttq", 2), x);
  const Tensor y = quantizer->quantize(Variable(x), training()).value();
  // Means beyond the threshold of 0.05: 0.7 below, 1.6 / 3 above, the latter in 127ths of the
  // former.
  const float step = 0.7f / 127;
  const float up = std::round(1.6f / 3 / step) * step;
  std::set<float> levels(y.values().begin(), y.values().end());
  REQUIRE(levels.size() == 3);
  CHECK(*levels.begin() == doctest::Approx(-0.7));
  CHECK(levels.count(0.0f) == 1);
  CHECK(*levels.rbegin() == doctest::Approx(up));
  const GradientsOf got = gradients(*quantizer, x, w);
  CHECK(got.own[0] == std::vector<float>{6 + 7 + 8, -(1 + 2)});
  const float expected[] = {0.7f, 1.4f, 3, 4, 5, 6 * 1.6f / 3, 7 * 1.6f / 3, 8 * 1.6f / 3};
  for (std::size_t i = 0; i < 8; ++i) CHECK(got.latent[i] == doctest::Approx(expected[i]));
}

TEST_CASE("log2: neighbouring levels differ by the base, weights round in the exponent") {
  CHECK(log2_magnitudes(4, false) == std::vector<std::int16_t>{1, 2, 4, 8, 16, 32, 64});
  CHECK(log2_magnitudes(3, true) == std::vector<std::int16_t>{64, 90, 127});
  const Tensor x = random_tensor({2, 500}, 5);
  const Tensor y = made(named("log2", 4), x)->quantize(Variable(x), training()).value();
  for (std::int64_t c = 0; c < 2; ++c) {
    double top = 0;
    for (std::int64_t i = c * 500; i < (c + 1) * 500; ++i)
      top = std::max(top, std::fabs(static_cast<double>(x.data()[i])));
    for (std::int64_t i = c * 500; i < (c + 1) * 500; ++i) {
      const double v = x.data()[i];
      const double exponent = std::floor(std::log2(std::fabs(v) / top) + 0.5);
      const double expected = exponent < -6 ? 0 : std::copysign(top * std::exp2(exponent), v);
      REQUIRE(y.data()[i] == doctest::Approx(expected).epsilon(1e-5));
    }
  }
}

TEST_CASE("APoT: the levels of the paper, the nearest one, and alpha's gradient") {
  CHECK(apot_magnitudes(2) == std::vector<std::int16_t>{1});
  CHECK(apot_magnitudes(3) == std::vector<std::int16_t>{1, 2, 4});
  CHECK(apot_magnitudes(4) == std::vector<std::int16_t>{1, 2, 3, 4, 6, 8, 10});
  // Two terms {0, 1, 1/4, 1/16} and {0, 1/2, 1/8, 1/32} (figure 1 and eq. 5 of the paper, b = 4).
  CHECK(apot_magnitudes(5) ==
        std::vector<std::int16_t>{1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48});
  const Tensor x = random_tensor({1, 400}, 6), w = random_tensor({400}, 7);
  auto quantizer = made(named("apot", 4), x);
  quantizer->visit_parameters([](Parameter& own) { own.latent().mutable_data()[0] = 1.5f; });
  const Tensor y = quantizer->quantize(Variable(x), training()).value();
  double dalpha = 0;
  for (std::int64_t i = 0; i < 400; ++i) {
    const double u = std::clamp(x.data()[i] / 1.5, -1.0, 1.0);
    double best = 0;
    for (const int level : {1, 2, 3, 4, 6, 8, 10}) {
      for (const double signed_level : {level / 10.0, -level / 10.0}) {
        if (std::fabs(u - signed_level) < std::fabs(u - best)) best = signed_level;
      }
    }
    REQUIRE(y.data()[i] == doctest::Approx(1.5 * best).epsilon(1e-5));
    const bool clipped = std::fabs(x.data()[i]) > 1.5f;
    dalpha += w.data()[i] * (clipped ? (x.data()[i] > 0 ? 1 : -1) : best - x.data()[i] / 1.5);
  }
  CHECK(gradients(*quantizer, x, w).own[0][0] == doctest::Approx(dalpha).epsilon(1e-4));
}

TEST_CASE("codebook: k-means finds clusters, one level is zero, centroids follow their members") {
  std::vector<float> values;
  const Tensor noise = random_tensor({300}, 8);
  constexpr float kCentres[] = {-0.8f, -0.2f, 0.0f, 0.4f, 0.9f};
  for (std::int64_t i = 0; i < 300; ++i)
    values.push_back(kCentres[i % 5] + 0.01f * noise.data()[i]);
  for (const CodebookInit init : {CodebookInit::linear, CodebookInit::density}) {
    const std::vector<double> found = cluster(values, 5, init, Random(1, Stream::test));
    for (std::size_t k = 0; k < 5; ++k) {
      CHECK(std::fabs(found[k] - static_cast<double>(kCentres[k])) < 0.01);
    }
  }
  QuantizerConfig config = named("codebook", 3);
  config.levels = 5;
  config.granularity = Granularity::per_tensor;
  const Tensor x = Tensor::from({1, 300}, values), w = random_tensor({300}, 9);
  auto quantizer = made(config, x);
  const Tensor y = quantizer->quantize(Variable(x), training()).value();
  CHECK(values_of(y, 0).size() == 5);
  CHECK(values_of(y, 0).contains(0.0f));
  float largest = 0;
  for (const float v : values) largest = std::max(largest, std::fabs(v));
  const GradientsOf got = gradients(*quantizer, x, w);
  for (std::int64_t k = 0; k < 5; ++k) {
    double sum = 0;
    for (std::int64_t i = k; i < 300; i += 5) sum += w.data()[i] * largest;
    CHECK(got.own[0][static_cast<std::size_t>(k)] ==
          doctest::Approx(k == 2 ? 0 : sum).epsilon(1e-3));
  }
  CHECK(got.latent.empty());  // no value depends on a latent weight
}

}  // namespace
}  // namespace pare
