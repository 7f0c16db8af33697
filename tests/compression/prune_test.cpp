// Masks, and the choice of what to prune from scores.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/attach.h"
#include "compression/prune/select.h"
#include "framework/base/error.h"
#include "framework/ops/ops.h"
#include "framework/random.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

Network small_network() {
  return network_of_text(R"([{"name": "conv", "kind": "conv2d", "filters": 5, "kernel": 3},
                             {"kind": "flatten"}, {"name": "fc", "kind": "dense", "units": 7}])",
                         {4, 4, 1});
}

std::vector<PruneTarget> targets_of(const Network& network, const std::string& keys = "") {
  return find_targets(network, prune_config(R"({"sparsity": 0.5)" + keys + "}"));
}

std::vector<std::vector<float>> magnitudes_of(const std::vector<PruneTarget>& targets) {
  std::vector<std::vector<float>> scores;
  for (const PruneTarget& target : targets)
    scores.push_back(group_norms(target, latent_values(target), PruneNorm::l1));
  return scores;
}

TEST_CASE(
    "a mask gives exactly +0 for pruned weights, whatever the latent value, and stops their "
    "gradient") {
  Parameter w("weight", {2, 2}, 0, true);
  const float values[] = {-1, 2, -3, 4};
  w.latent() = Tensor::from({2, 2}, values);
  attach_mask(w, Composition::mask_then_quantize, true)->keep() = {0, 1, 0, 1};
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
  const Network network = small_network();
  auto targets = targets_of(network);
  REQUIRE(targets.size() == 2);
  const auto scores = magnitudes_of(targets);
  select(targets, scores, {.scope = PruneScope::layer, .sparsity = 0.5});
  for (std::size_t t = 0; t < 2; ++t) {
    CHECK(targets[t].pruned() == (targets[t].groups + 1) / 2);
    float largest_pruned = 0, smallest_kept = 1e9f;
    for (std::size_t i = 0; i < scores[t].size(); ++i) {
      if (targets[t].keep[i])
        smallest_kept = std::min(smallest_kept, scores[t][i]);
      else
        largest_pruned = std::max(largest_pruned, scores[t][i]);
    }
    CHECK(largest_pruned <= smallest_kept);
  }
}

TEST_CASE(
    "global scope prunes the smallest of all tensors together, within the bounds of each layer") {
  const Network network = small_network();
  auto targets = targets_of(network);
  select(targets, magnitudes_of(targets),
         {.scope = PruneScope::global, .sparsity = 0.7, .min_sparsity = 0.2, .max_sparsity = 0.75});
  CHECK(targets[0].groups + targets[1].groups == 185);
  CHECK(targets[0].pruned() + targets[1].pruned() == 130);  // ceil(0.7 * 185)
  CHECK(targets[0].pruned() >= 9);
  CHECK(targets[1].pruned() <= 105);
}

TEST_CASE(
    "a pruned weight stays pruned while sparsity grows, and a decimal sparsity means exactly its "
    "count") {
  const Network network = small_network();
  auto targets = targets_of(network);
  std::vector<std::uint8_t> before(45, 1);
  for (const double sparsity : {0.1, 0.2, 0.6, 0.8, 1.0}) {
    std::vector<std::vector<float>> scores;  // others each time
    Random random(static_cast<std::uint64_t>(sparsity * 100), Stream::test);
    for (const PruneTarget& target : targets) {
      scores.emplace_back();
      for (std::int64_t i = 0; i < target.groups; ++i) scores.back().push_back(random.uniform());
    }
    select(targets, scores, {.sparsity = sparsity});
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(targets[0].keep[i] <= before[i]);
    CHECK(targets[0].pruned() == std::llround(std::ceil(sparsity * 45 - 1e-9)));
    CHECK(targets[1].pruned() == std::llround(sparsity * 140));
    before = targets[0].keep;
  }
}

TEST_CASE("equal scores are pruned in the order of their index") {
  const Network network = small_network();
  auto targets = targets_of(network, R"(, "include": ["fc.weight"])");
  const std::vector<std::vector<float>> scores{std::vector<float>(140, 1.0f)};
  select(targets, scores, {.sparsity = 0.25});
  for (std::size_t i = 0; i < 140; ++i) CHECK(targets[0].keep[i] == (i < 35 ? 0 : 1));
}

TEST_CASE("a pattern that matches nothing is an error that lists what there is") {
  const Network network = small_network();
  CHECK_THROWS_WITH_AS(select_weights(network, {{"conw.weight"}, {}}),
                       "pattern 'conw.weight' matches no weight (did you mean 'conv.weight'?); "
                       "there are: conv.weight, fc.weight",
                       ConfigError);
  CHECK(select_weights(network, {{}, {"conv*"}}).size() == 1);
  auto targets = targets_of(network);
  attach_masks(targets, Composition::mask_then_quantize, true);
  CHECK_THROWS_AS(attach_masks(targets, Composition::mask_then_quantize, true), ConfigError);
}

TEST_CASE(
    "the method follows its schedule, reaches the target on the last update, and zeroes the "
    "moments of pruned weights") {
  PruneLoop loop(prunable_network(),
                 R"({"sparsity": {"kind": "polynomial", "to": 0.8, "frequency": 7}})", 100);
  std::int64_t last = -1;
  while (loop.step_number() < 100) {
    loop.step();
    const std::int64_t pruned =
        std::count(loop.keep("fc.weight").begin(), loop.keep("fc.weight").end(), 0);
    CHECK(pruned >= last);
    last = pruned;
    const Tensor& moment = loop.moment(loop.parameter("fc.weight"));
    for (std::size_t i = 0; i < loop.keep("fc.weight").size(); ++i) {
      if (!loop.keep("fc.weight")[i]) CHECK(moment.values()[i] == 0);
    }
    CHECK(loop.method().at_target() == (loop.step_number() == 100));
  }
  CHECK(last == 692);                             // ceil(0.8 * 864)
  CHECK(loop.method().status() == "80.2% zero");  // (116 + 692 + 39) / 1056
}

}  // namespace
}  // namespace pare
