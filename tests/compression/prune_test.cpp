// Masks and the choice of what to prune; every row of the pruner table.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/prune/pruner.h"
#include "compression/prune_method.h"
#include "framework/base/error.h"
#include "framework/ops/ops.h"
#include "framework/random.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/shape_layers.h"

namespace pare {
namespace {

Network small_network() {
  Network network({4, 4, 1});
  network.add("conv", {"input"},
              std::make_unique<Conv2d>(Conv2dOptions{.filters = 5,
                                                     .kernel = {3, 3},
                                                     .stride = {1, 1},
                                                     .padding = {},
                                                     .groups = 1,
                                                     .bias = true}));
  network.add("flat", {"conv"}, std::make_unique<Flatten>());
  network.add("fc", {"flat"}, std::make_unique<Dense>(DenseOptions{.units = 7, .bias = true}));
  network.initialize(3);
  return network;
}

std::vector<std::vector<float>> magnitudes(const std::vector<PruneTarget>& targets) {
  std::vector<std::vector<float>> scores;
  for (const PruneTarget& target : targets) {
    scores.emplace_back(static_cast<std::size_t>(target.parameter->shape().size()));
    pruner("magnitude").score(target, target.parameter->latent(), 1, 0, scores.back());
  }
  return scores;
}

TEST_CASE(
    "a mask gives exactly +0 for pruned weights, whatever the latent value, and stops their "
    "gradient") {
  Parameter w("weight", {2, 2}, 0, true);
  const float values[] = {-1, 2, -3, 4};
  w.latent() = Tensor::from({2, 2}, values);
  auto mask = std::make_unique<Mask>(4, true);
  mask->keep() = {0, 1, 0, 1};
  w.insert(0, std::move(mask));
  const Pass pass = Pass::begin(Pass::Mode::train, 1, 0);
  const Variable x(Tensor::full({1, 2}, 1.0f));
  Variable y = dense(x, w.value(pass), Variable());
  CHECK(y.value().data()[0] == 2.0f);
  CHECK(y.value().data()[1] == 4.0f);
  CHECK_FALSE(std::signbit(w.value(pass).value().data()[0]));
  backward(dense(y, Variable(Tensor::full({1, 2}, 1.0f)), Variable()));
  const Tensor grad = w.grad();
  CHECK(std::vector<float>(grad.values().begin(), grad.values().end()) ==
        std::vector<float>{0, 1, 0, 1});
}

TEST_CASE("layer scope prunes ceil(sparsity * n) of every tensor, the smallest ones") {
  Network network = small_network();
  auto targets = attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true);
  REQUIRE(targets.size() == 2);
  select(targets, magnitudes(targets), {.scope = PruneScope::layer, .sparsity = 0.5});
  for (const PruneTarget& target : targets) {
    const std::int64_t n = target.parameter->shape().size();
    CHECK(target.mask->pruned() == (n + 1) / 2);
    float largest_pruned = 0, smallest_kept = 1e9f;
    for (std::int64_t i = 0; i < n; ++i) {
      const float magnitude = std::fabs(target.parameter->latent().data()[i]);
      if (target.mask->keep()[static_cast<std::size_t>(i)])
        smallest_kept = std::min(smallest_kept, magnitude);
      else
        largest_pruned = std::max(largest_pruned, magnitude);
    }
    CHECK(largest_pruned <= smallest_kept);
  }
}

TEST_CASE(
    "global scope prunes the smallest of all tensors together, within the bounds of each layer") {
  Network network = small_network();
  auto targets = attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true);
  select(targets, magnitudes(targets),
         {.scope = PruneScope::global, .sparsity = 0.7, .min_sparsity = 0.2, .max_sparsity = 0.75});
  const std::int64_t n = 45 + 140;
  CHECK(targets[0].mask->pruned() + targets[1].mask->pruned() == 130);  // ceil(0.7 * 185)
  CHECK(n == 185);
  CHECK(targets[0].mask->pruned() >= 9);
  CHECK(targets[1].mask->pruned() <= 105);
}

TEST_CASE(
    "a pruned weight stays pruned while sparsity grows, and a decimal sparsity means exactly its "
    "count") {
  Network network = small_network();
  auto targets = attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true);
  std::vector<std::uint8_t> before(45, 1);
  for (const double sparsity : {0.1, 0.2, 0.6, 0.8, 1.0}) {
    for (const PruneTarget& target : targets) {  // the weights move in between
      float* w = target.parameter->latent().mutable_data();
      Random random(static_cast<std::uint64_t>(sparsity * 100), Stream::test);
      for (std::int64_t i = 0; i < target.parameter->shape().size(); ++i)
        w[i] = static_cast<float>(random.normal());
    }
    select(targets, magnitudes(targets), {.sparsity = sparsity});
    const auto& now = targets[0].mask->keep();
    for (std::size_t i = 0; i < now.size(); ++i) CHECK(now[i] <= before[i]);
    CHECK(targets[0].mask->pruned() == std::llround(std::ceil(sparsity * 45 - 1e-9)));
    CHECK(targets[1].mask->pruned() == std::llround(sparsity * 140));
    before = now;
  }
}

TEST_CASE("equal scores are pruned in the order of their index") {
  Network network = small_network();
  auto targets = attach_masks(select_weights(network, {{"fc.weight"}, {}}),
                              Composition::mask_then_quantize, true);
  std::vector<std::vector<float>> scores{std::vector<float>(140, 1.0f)};
  select(targets, scores, {.sparsity = 0.25});
  for (std::size_t i = 0; i < 140; ++i) CHECK(targets[0].mask->keep()[i] == (i < 35 ? 0 : 1));
}

TEST_CASE("every pruner gives scores of at least zero that are a function of seed and update") {
  Network network = small_network();
  auto targets = attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true);
  for (const PrunerRow& row : pruner_table()) {
    CAPTURE(row.name);
    std::vector<float> a(140), b(140);
    row.score(targets[1], targets[1].parameter->latent(), 1, 5, a);
    row.score(targets[1], targets[1].parameter->latent(), 1, 5, b);
    CHECK(a == b);
    CHECK(*std::min_element(a.begin(), a.end()) >= 0);
  }
}

TEST_CASE("a pattern that matches nothing is an error that lists what there is") {
  Network network = small_network();
  CHECK_THROWS_WITH_AS(select_weights(network, {{"conw.weight"}, {}}),
                       "pattern 'conw.weight' matches no weight (did you mean 'conv.weight'?); "
                       "there are: conv.weight, fc.weight",
                       ConfigError);
  CHECK(select_weights(network, {{}, {"conv*"}}).size() == 1);
  attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true);
  CHECK_THROWS_AS(attach_masks(select_weights(network, {}), Composition::mask_then_quantize, true),
                  ConfigError);
}

TEST_CASE(
    "the method follows its schedule, reaches the target on the last update, and zeroes the "
    "moments of pruned weights") {
  Network network = small_network();
  PruneConfig config;
  config.sparsity.kind = Schedule::Kind::polynomial;
  config.sparsity.to = 0.8;
  config.sparsity.frequency = 7;
  PruneMethod method(config, Composition::mask_then_quantize);
  method.attach(network);
  Tensor moment = Tensor::full({7, 20}, 1.0f);
  double last = -1;
  for (std::int64_t step = 0; step < 100; ++step) {
    MethodStep now;
    now.span = {.steps = 100, .steps_per_epoch = 50};
    now.step = step;
    now.applied_here = true;
    now.visit_moments = [&](const Parameter& p, const std::function<void(Tensor&)>& visit) {
      if (p.path() == "fc.weight") visit(moment);
    };
    method.before_step(now);
    const auto pruned =
        static_cast<double>(dynamic_cast<Mask*>(network.parameters()[2]->find(kMask))->pruned());
    CHECK(pruned >= last);
    last = pruned;
    CHECK(method.at_target() == (step == 99));
  }
  CHECK(last == 112);  // 0.8 * 140
  CHECK(std::count(moment.values().begin(), moment.values().end(), 0.0f) == 112);
  CHECK(method.status() == "80.0% zero");
}

}  // namespace
}  // namespace pare
