// Grids without an integer form: 16 bits, and ranges that every image finds at run time.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/method_config.h"
#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/quantizer.h"
#include "framework/config/config.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

Pass evaluation() { return Pass::begin(Pass::Mode::evaluate, 1, 0); }

std::string float_only(const std::string& text) {
  return config::read<MethodConfig>(config::load_text(text, "x")).float_only();
}

}  // namespace

TEST_CASE("16 bits: 32767 steps to each side, each value within half a step") {
  const Tensor x = random_tensor({3, 2000}, 1);
  QuantizerConfig config;
  config.bits = 16;
  auto quantizer = make_quantizer(config, QuantizerPlace::Use::weights, "w", x.shape(), 0);
  quantizer->observe(x, evaluation());
  const Tensor y = quantizer->quantize(Variable(x), evaluation()).value();
  const GridCodes codes = quantizer->codes(x);
  for (std::int64_t c = 0; c < 3; ++c) {
    double largest = 0;
    for (std::int64_t i = c * 2000; i < (c + 1) * 2000; ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(x.data()[i])));
    const double step = largest / 32767;
    const double reciprocal = 1 / double{quantizer->grid().scales[static_cast<std::size_t>(c)]};
    std::int16_t top = 0;
    for (std::int64_t i = c * 2000; i < (c + 1) * 2000; ++i) {
      const std::int16_t code = codes[static_cast<std::size_t>(i)];
      REQUIRE(code == std::floor(double{x.data()[i]} * reciprocal + 0.5));
      REQUIRE(std::fabs(y.data()[i] - x.data()[i]) <= step * 0.501);
      top = std::max<std::int16_t>(top, static_cast<std::int16_t>(std::abs(code)));
    }
    CHECK(top == 32767);
  }
}

TEST_CASE("dynamic: an image's codes do not depend on the images beside it") {
  ActivationQuantizerConfig config;
  config.quantizer = "dynamic";
  Tensor x = random_tensor({2, 50}, 2);
  for (std::int64_t i = 50; i < 100; ++i) x.mutable_data()[i] *= 1000;
  auto quantizer = make_quantizer(config, QuantizerPlace::Use::activations, "x", x.shape(), -1);
  CHECK(quantizer->ready());  // nothing was shown to it
  const Tensor both = quantizer->quantize(Variable(x), evaluation()).value();
  for (const std::int64_t image : {0, 1}) {
    const auto first = static_cast<std::size_t>(50 * image);
    const Tensor alone = Tensor::from({1, 50}, x.values().subspan(first, 50));
    const Tensor y = quantizer->quantize(Variable(alone), evaluation()).value();
    const auto [low, high] = std::minmax_element(alone.values().begin(), alone.values().end());
    const double step = (double{*high} - double{*low}) / 255;
    for (std::int64_t i = 0; i < 50; ++i) {
      CHECK(both.data()[50 * image + i] == y.data()[i]);
      // Half a step, and what rounding the zero point takes off an end.
      CHECK(std::fabs(double{y.data()[i]} - double{alone.data()[i]}) <= step * 1.01);
    }
  }
}

TEST_CASE("what has no integer form says so by its key") {
  CHECK(float_only(R"({"kind": "quantize"})") == "");
  CHECK(float_only(R"({"kind": "dynamic"})").find("kind: ranges") == 0);
  CHECK(float_only(R"({"kind": "quantize", "weights": {"bits": 16}})").find("weights.bits: ") == 0);
  CHECK(
      float_only(R"({"kind": "quantize", "weights": {"quantizer": "codebook", "level_bits": 16}})")
          .find("weights.level_bits: ") == 0);
  CHECK(float_only(R"({"kind": "quantize",
                       "overrides": [{"match": "*", "activations": {"quantizer": "dynamic"}}]})")
            .find("overrides[0].activations.quantizer: ") == 0);
}

}  // namespace pare
