// Equalization, bias correction, AdaRound and the penalty on quantization errors.
#include "compression/after_calibration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/attach.h"
#include "compression/equalize.h"
#include "compression/prune/mask.h"
#include "compression/quantize/error_penalty.h"
#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/weight_quantizer.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pool.h"
#include "layers/shape_layers.h"
#include "layers/weighted.h"
#include "tests/compression/draws.h"
#include "tests/compression/evaluated.h"

namespace pare {
namespace {

Weighted& layer(const Network& network, const std::string& name) {
  return dynamic_cast<Weighted&>(*network.node(name).module);
}

void fill(Tensor& tensor, std::uint64_t seed, float mean = 0) {
  const Tensor values = random_tensor(tensor.shape(), seed);
  for (std::int64_t i = 0; i < tensor.size(); ++i)
    tensor.mutable_data()[i] = mean + 0.5f * values.data()[i];
}

Network three_layers() {
  Network network({8, 8, 2});
  network.add("conv", {"input"},
              std::make_unique<Conv2d>(Conv2dOptions{.filters = 5, .kernel = {3, 3}}));
  network.add("norm", {"conv"}, std::make_unique<BatchNorm>());
  network.add("relu", {"norm"}, make_activation("relu"));
  network.add("pool", {"relu"}, std::make_unique<MaxPool2d>(PoolOptions{.size = {2, 2}}));
  network.add("conv2", {"pool"},
              std::make_unique<Conv2d>(Conv2dOptions{.filters = 4, .kernel = {2, 2}}));
  network.add("relu2", {"conv2"}, make_activation("relu"));
  network.add("flat", {"relu2"}, std::make_unique<Flatten>());
  network.add("last", {"flat"}, std::make_unique<Dense>(DenseOptions{.units = 3}));
  network.initialize(3);
  auto& norm = dynamic_cast<BatchNorm&>(*network.node("norm").module);
  fill(norm.scale().latent(), 11, 1);
  fill(norm.shift().latent(), 12);
  fill(layer(network, "conv2").bias()->latent(), 13);
  return network;
}

TEST_CASE("equalization leaves the function as it is and gives both sides of a channel one range") {
  Network network = three_layers();
  const Tensor x = random_tensor({4, 8, 8, 2}, 5);
  // Channels that could hardly be more unlike each other.
  float* w = layer(network, "conv2").weight().latent().mutable_data();
  for (std::int64_t i = 0; i < 20; ++i) w[i] *= 100;
  const Tensor before = evaluated(network, x);
  CHECK(equalize(network) == 2);
  const Tensor after = evaluated(network, x);
  for (std::int64_t i = 0; i < before.size(); ++i) {
    CHECK(after.data()[i] == doctest::Approx(before.data()[i]).epsilon(1e-3));
  }
  const Tensor &conv2 = layer(network, "conv2").weight().latent(),
               &last = layer(network, "last").weight().latent();
  for (std::int64_t c = 0; c < 4; ++c) {
    float first = 0, second = 0;
    for (std::int64_t i = c * 20; i < (c + 1) * 20; ++i)
      first = std::max(first, std::fabs(conv2.data()[i]));
    for (std::int64_t i = c; i < last.size(); i += 4)
      second = std::max(second, std::fabs(last.data()[i]));
    CHECK(first == doctest::Approx(second).epsilon(0.02));
  }
}

TEST_CASE("what a mask hides has no say in a channel's range") {
  Network network = three_layers();
  Parameter& weight = layer(network, "conv2").weight();
  std::vector<std::uint8_t>& keep =
      attach_mask(weight, Composition::mask_then_quantize, true)->keep();
  float* w = weight.latent().mutable_data();
  for (std::int64_t i = 0; i < weight.shape().size(); i += 3) {
    w[i] *= 1000;
    keep[static_cast<std::size_t>(i)] = 0;
  }
  const Tensor x = random_tensor({4, 8, 8, 2}, 5);
  const Tensor before = evaluated(network, x);
  CHECK(equalize(network) == 2);
  const Tensor after = evaluated(network, x);
  for (std::int64_t i = 0; i < before.size(); ++i) {
    CHECK(after.data()[i] == doctest::Approx(before.data()[i]).epsilon(1e-3));
  }
  const Tensor& last = layer(network, "last").weight().latent();
  for (std::int64_t c = 0; c < 4; ++c) {
    float first = 0, second = 0;
    for (std::int64_t i = c * 20; i < (c + 1) * 20; ++i) {
      if (keep[static_cast<std::size_t>(i)] != 0)
        first = std::max(first, std::fabs(weight.latent().data()[i]));
    }
    for (std::int64_t i = c; i < last.size(); i += 4)
      second = std::max(second, std::fabs(last.data()[i]));
    CHECK(first == doctest::Approx(second).epsilon(0.02));
  }
}

TEST_CASE("behind relu6 nothing is equalized") {
  Network network({4});
  network.add("a", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 3}));
  network.add("relu", {"a"}, make_activation("relu6"));
  network.add("b", {"relu"}, std::make_unique<Dense>(DenseOptions{.units = 2}));
  CHECK(equalize(network) == 0);
}

// Weights of few bits in a network of one or more layers.
void quantize_weights(Network& network, int bits) {
  WeightQuantizerConfig config;
  config.bits = bits;
  attach_weight_quantizers(select_weights(network, {}), Composition::mask_then_quantize, config);
}

ShowImages shows(const Tensor& x) {
  return [&x](const std::function<void(const Tensor&)>& see) { see(x); };
}

// 40 images that are not 0 in the mean.
Tensor bright_images() {
  Tensor x = random_tensor({40, 8, 8, 2}, 6);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] += 1;
  return x;
}

// Of every channel behind the first layer of three_layers(), on 40 images.
std::vector<double> mean_of_first(Network& network, const Tensor& x) {
  std::vector<double> means(5, 0);
  const NoGradient no_gradient;
  network.forward(Variable(x), Pass::begin(Pass::Mode::evaluate, 1, 0),
                  [&](const std::string& name, const Variable& value) {
                    if (name != "norm") return;
                    for (std::int64_t i = 0; i < value.value().size(); ++i)
                      means[static_cast<std::size_t>(i % 5)] +=
                          static_cast<double>(value.value().data()[i]) / (40 * 36);
                  });
  network.release();
  return means;
}

double sum_of_differences(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::fabs(a[i] - b[i]);
  return sum;
}

TEST_CASE("bias correction: the mean of the first layer's outputs is what it was in float") {
  Network network = three_layers();
  const Tensor x = bright_images();
  const std::vector<double> real = mean_of_first(network, x);
  quantize_weights(network, 3);
  CHECK(sum_of_differences(mean_of_first(network, x), real) > 0.01);
  correct_biases(network, select_weights(network, {}), shows(x));
  CHECK(sum_of_differences(mean_of_first(network, x), real) < 1e-4);
}

TEST_CASE("bias correction behind AdaRound: compared with the weights from before it") {
  Network network = three_layers();
  const Tensor x = bright_images();
  const std::vector<double> real = mean_of_first(network, x);
  quantize_weights(network, 3);
  // Few iterations, so that nearly all weights round to nearest.
  const AdaRoundConfig config{.iterations = 5};
  const std::vector<Parameter*> weights = select_weights(network, {});
  const Latents before = round_adaptively(network, weights, config, shows(x));
  CHECK(before.size() == 3);
  const Tensor rounded = weights[0]->latent().clone();
  CHECK(sum_of_differences(mean_of_first(network, x), real) > 0.01);
  correct_biases(network, weights, shows(x), before);
  CHECK(sum_of_differences(mean_of_first(network, x), real) < 1e-4);
  CHECK(std::equal(rounded.values().begin(), rounded.values().end(),
                   weights[0]->latent().values().begin()));
}

TEST_CASE("weights that are not named are neither rounded nor corrected for") {
  Network network = three_layers();
  const Tensor x = bright_images();
  quantize_weights(network, 3);
  const std::vector<double> means = mean_of_first(network, x);
  CHECK(round_adaptively(network, {}, AdaRoundConfig{}, shows(x)).empty());
  correct_biases(network, {}, shows(x));
  CHECK(sum_of_differences(mean_of_first(network, x), means) == 0);
}

TEST_CASE("AdaRound: the layer's output is nearer to the float one than with nearest codes") {
  Network network({24});
  network.add("last", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 6}));
  network.initialize(4);
  // Inputs that are alike, so that errors of neighbours can cancel.
  Tensor x = random_tensor({200, 24}, 7);
  for (std::int64_t i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = 0.3f * x.data()[i] + x.data()[i / 24 * 24];
  const Tensor real = evaluated(network, x);
  const Tensor before = layer(network, "last").weight().latent().clone();
  quantize_weights(network, 3);
  const auto error = [&] {
    const Tensor y = evaluated(network, x);
    double sum = 0;
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const double e = static_cast<double>(y.data()[i]) - static_cast<double>(real.data()[i]);
      sum += e * e;
    }
    return sum;
  };
  const double nearest = error();
  AdaRoundConfig config;
  config.iterations = 600;
  round_adaptively(network, select_weights(network, {}), config, shows(x));
  CHECK(error() < 0.6 * nearest);
  // Each weight lies on one of the two codes around what it was.
  Parameter& weight = layer(network, "last").weight();
  const auto* quantizer = dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer));
  const Grid grid = quantizer->quantizer().grid();
  for (std::int64_t i = 0; i < before.size(); ++i) {
    const double scale = grid.scales[static_cast<std::size_t>(i / 24)];
    const double code = weight.latent().data()[i] / scale;
    REQUIRE(code == doctest::Approx(std::round(code)).epsilon(1e-4));
    REQUIRE(std::fabs(code - before.data()[i] / scale) < 1.001);
  }
}

TEST_CASE("the penalty adds 2 lambda (x - q(x)) to the gradient") {
  const Tensor x = random_tensor({50}, 8), w = random_tensor({50}, 9);
  const Grid grid{.format = {.bits = 3}, .scales = {0.5f}, .zero_points = {0}};
  Variable leaf(x, true);
  const Variable y = fake_quantize(leaf, grid, -1);
  backward(weighted_sum(with_error_penalty(y, leaf, 0.25), w));
  Variable plain(x, true);
  backward(weighted_sum(fake_quantize(plain, grid, -1), w));
  for (std::int64_t i = 0; i < 50; ++i) {
    CHECK(leaf.grad().data()[i] ==
          doctest::Approx(plain.grad().data()[i] + 0.5f * (x.data()[i] - y.value().data()[i])));
  }
}

}  // namespace
}  // namespace pare
