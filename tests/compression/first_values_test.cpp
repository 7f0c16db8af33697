// What learned steps and bounds begin with: survivors of a mask, all batches of a calibration.
#include "compression/quantize/first_values.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/quantize/quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/parallel.h"
#include "tests/compression/draws.h"
#include "tests/compression/integer_state.h"
#include "tests/threads.h"

namespace pare {
namespace {

using Use = QuantizerPlace::Use;

QuantizerConfig four_bits(const std::string& name, Scheme scheme, Granularity granularity) {
  QuantizerConfig config;
  config.quantizer = name;
  config.bits = 4;
  config.scheme = scheme;
  config.granularity = granularity;
  return config;
}

std::unique_ptr<Quantizer> of_activations(const std::string& name, const Tensor& x) {
  return make_quantizer(four_bits(name, Scheme::affine, Granularity::per_tensor), Use::activations,
                        "x", x.shape(), 1);
}

Parameter& own_parameter(Quantizer& quantizer) {
  Parameter* own = nullptr;
  quantizer.visit_parameters([&](Parameter& p) { own = &p; });
  REQUIRE(own != nullptr);
  return *own;
}

std::vector<float> sizes_of(Quantizer& quantizer) {
  const auto values = own_parameter(quantizer).latent().values();
  return {values.begin(), values.end()};
}

std::vector<float> first_sizes(const QuantizerConfig& config, const Tensor& weights) {
  auto quantizer = make_quantizer(config, Use::weights, "w", weights.shape(), 0);
  quantizer->observe(weights, Pass::begin(Pass::Mode::train, 1, 0));
  return sizes_of(*quantizer);
}

TEST_CASE("LSQ and APoT begin at the weights that a mask leaves, as if there were no others") {
  constexpr std::int64_t kRows = 4, kKept = 50, kEvery = 10;
  const Tensor kept = random_tensor({kRows, kKept}, 1);
  Tensor sparse = Tensor::persistent({kRows, kKept * kEvery});  // 90 % zeros
  for (std::int64_t i = 0; i < kept.size(); ++i) sparse.mutable_data()[i * kEvery] = kept.data()[i];
  for (const std::string name : {"lsq", "apot"}) {
    for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel}) {
      const QuantizerConfig config = four_bits(name, Scheme::symmetric, granularity);
      CAPTURE(name);
      CHECK(first_sizes(config, sparse) == first_sizes(config, kept));
      CHECK(first_sizes(config, Tensor::zeros({2, 8}))[0] == 1);
    }
  }
}

TEST_CASE("observe and the order of the chain say whose mean an LSQ step begins at") {
  // Nine weights of 5 are pruned, the tenth is 1. step = 2 mean / sqrt(7).
  const auto mean = [](Observed observed, Composition composition) {
    Parameter w("weight", Shape{1, 10}, 0, true);
    for (std::int64_t i = 0; i < 10; ++i) w.latent().mutable_data()[i] = i == 3 ? 1.0f : 5.0f;
    WeightQuantizerConfig config;
    config.quantizer = "lsq";
    config.bits = 4;
    config.observe = observed;
    attach_mask(w, composition, true)->keep() = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    attach_weight_quantizers({&w}, composition, config);
    const NoGradient no_gradient;
    w.value(Pass::begin(Pass::Mode::train, 1, 0));
    const auto* transform = dynamic_cast<WeightQuantizer*>(w.find(kWeightQuantizer));
    return static_cast<double>(transform->quantizer().grid().scales[0]) * std::sqrt(7.0) / 2;
  };
  const auto mask_first = Composition::mask_then_quantize,
             mask_last = Composition::quantize_then_mask;
  CHECK(mean(Observed::masked, mask_first) == doctest::Approx(1));
  CHECK(mean(Observed::survivors, mask_first) == doctest::Approx(1));
  CHECK(mean(Observed::dense, mask_first) == doctest::Approx(4.6));
  CHECK(mean(Observed::masked, mask_last) == doctest::Approx(4.6));
  CHECK(mean(Observed::survivors, mask_last) == doctest::Approx(1));
  CHECK(mean(Observed::dense, mask_last) == doctest::Approx(4.6));
}

TEST_CASE("zeros of activations count: LSQ's step is that of the paper") {
  const float values[] = {0, 0, 0, 2};
  const Tensor x = Tensor::from({1, 4}, values);
  auto quantizer = of_activations("lsq", x);
  quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
  CHECK(sizes_of(*quantizer)[0] == doctest::Approx(2 * 0.5 / std::sqrt(15.0)));
}

TEST_CASE("a calibration shows LSQ and PACT all its batches, training one") {
  const Tensor first = Tensor::full({3, 2}, 1.0f), second = Tensor::full({1, 2}, 5.0f),
               zeros = Tensor::zeros({4, 2});
  const double per_mean = 2 / std::sqrt(15.0);
  for (const std::string name : {"lsq", "pact"}) {
    CAPTURE(name);
    const double of_first = name == "lsq" ? per_mean : 1;
    const double of_both = name == "lsq" ? per_mean * 2 : 5;  // (6 * 1 + 2 * 5) / 8
    for (const auto mode : {Pass::Mode::calibrate, Pass::Mode::train}) {
      auto quantizer = of_activations(name, first);
      const Pass pass = Pass::begin(mode, 1, 0);
      quantizer->observe(first, pass);
      CHECK(sizes_of(*quantizer)[0] == doctest::Approx(of_first));
      quantizer->observe(second, pass);
      const double expected = mode == Pass::Mode::calibrate ? of_both : of_first;
      CHECK(sizes_of(*quantizer)[0] == doctest::Approx(expected));
      // Training has the step now, and so has any later calibration.
      for (const auto later : {Pass::Mode::train, Pass::Mode::calibrate})
        quantizer->observe(Tensor::full({3, 2}, 100.0f), Pass::begin(later, 1, 1));
      CHECK(sizes_of(*quantizer)[0] == doctest::Approx(expected));
    }
    // Images of zeros are images, also where they come first.
    auto quantizer = of_activations(name, first);
    const Pass pass = Pass::begin(Pass::Mode::calibrate, 1, 0);
    quantizer->observe(zeros, pass);
    CHECK(sizes_of(*quantizer)[0] == 1);
    quantizer->observe(second, pass);
    CHECK(sizes_of(*quantizer)[0] == doctest::Approx(name == "lsq" ? per_mean : 5));
  }
}

TEST_CASE("what a calibration found stays, also where a checkpoint lies between it and the next") {
  const Tensor x = Tensor::full({1, 2}, 3.0f);
  for (const std::string name : {"lsq", "pact"}) {
    auto quantizer = of_activations(name, x), loaded = of_activations(name, x);
    quantizer->observe(x, Pass::begin(Pass::Mode::calibrate, 1, 0));
    IntegerState integers;
    quantizer->visit_state("q", integers);
    integers.loading = true;
    loaded->visit_state("q", integers);
    own_parameter(*loaded).latent().mutable_data()[0] = sizes_of(*quantizer)[0];
    const Pass next = Pass::begin(Pass::Mode::calibrate, 1, 1);
    for (const float v : {50.0f, 70.0f}) {
      quantizer->observe(Tensor::full({1, 2}, v), next);
      loaded->observe(Tensor::full({1, 2}, v), next);
    }
    CHECK(sizes_of(*loaded) == sizes_of(*quantizer));
    CHECK(sizes_of(*quantizer)[0] < 4);
  }
}

TEST_CASE("sums of a channel are those of a plain loop, whatever the axis") {
  Tensor x = random_tensor({3, 4, 5}, 2);
  for (std::int64_t i = 0; i < x.size(); i += 7) x.mutable_data()[i] = i % 2 == 0 ? 0.0f : -0.0f;
  for (const int axis : {-1, 0, 1, 2}) {
    const ChannelView view = channel_view(x.shape(), axis);
    std::vector<ChannelSums> expected(static_cast<std::size_t>(view.channels));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      ChannelSums& sums = expected[static_cast<std::size_t>(i / view.inner % view.channels)];
      const double a = std::fabs(static_cast<double>(x.data()[i]));
      sums.add({.magnitudes = a, .squares = a * a, .largest = a, .count = 1, .nonzero = a > 0});
    }
    const std::vector<ChannelSums> got = channel_sums(x, axis);
    REQUIRE(got.size() == expected.size());
    for (std::size_t c = 0; c < got.size(); ++c) {
      CHECK(got[c].magnitudes == doctest::Approx(expected[c].magnitudes));
      CHECK(got[c].squares == doctest::Approx(expected[c].squares));
      CHECK(got[c].largest == expected[c].largest);
      CHECK(got[c].count == expected[c].count);
      CHECK(got[c].nonzero == expected[c].nonzero);
    }
  }
}

TEST_CASE("sums of a large tensor have the same bits for any number of threads") {
  const Tensor x = random_tensor({200003}, 9);
  const auto sums = [&](int count) {
    const test::Threads threads(count);
    return channel_sums(x, -1)[0];
  };
  const ChannelSums one = sums(1), three = sums(3);
  CHECK(one.magnitudes == three.magnitudes);
  CHECK(one.squares == three.squares);
}

}  // namespace
}  // namespace pare
