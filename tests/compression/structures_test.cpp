// Which channels are the same channel, and that a masked structure is exactly zero.
#include <doctest/doctest.h>

#include <algorithm>

#include "compression/channels.h"
#include "framework/base/error.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

// stem and the branch's second convolution meet in an add; a depthwise with multiplier 2 follows.
Network residual_network() {
  return network_of_text(R"([
    {"name": "stem", "kind": "conv2d", "filters": 6, "kernel": 3, "padding": "same"},
    {"name": "n1", "kind": "batch_norm"}, {"name": "r1", "kind": "relu"},
    {"name": "c1", "kind": "conv2d", "filters": 4, "kernel": 3, "padding": "same"},
    {"name": "n2", "kind": "batch_norm"}, {"name": "r2", "kind": "relu"},
    {"name": "c2", "kind": "conv2d", "filters": 6, "kernel": 1},
    {"name": "sum", "kind": "add", "inputs": ["r1", "c2"]},
    {"name": "n3", "kind": "batch_norm"}, {"name": "r3", "kind": "relu"},
    {"name": "dw", "kind": "depthwise_conv2d", "kernel": 3, "multiplier": 2},
    {"name": "flat", "kind": "flatten"}, {"name": "last", "kind": "dense", "units": 3}])",
                         {5, 5, 2});
}

TEST_CASE("adds make channels the same, depthwise and flatten hand them on") {
  const Network network = residual_network();
  const Channels channels(network);
  const ChannelSpace& trunk = channels.spaces()[channels.space_of("stem")];
  CHECK(trunk.units == 6);
  CHECK(trunk.makers == std::vector<std::string>{"stem", "c2"});
  CHECK(trunk.readers == std::vector<std::string>{"c1", "last"});
  CHECK(channels.space_of("c2") == channels.space_of("stem"));
  CHECK(channels.space_of("c1") != channels.space_of("stem"));
  CHECK(channels.units_of("dw") == std::vector<std::int32_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  const std::vector<std::int32_t>& flat = channels.units_of("flat");
  REQUIRE(flat.size() == 3 * 3 * 12);
  for (std::size_t i = 0; i < flat.size(); ++i)
    CHECK(flat[i] == static_cast<std::int32_t>(i % 12 / 2));
  CHECK(channels.spaces()[channels.space_of("last")].output);
  CHECK(channels.spaces()[channels.space_of("input")].input);
}

TEST_CASE(
    "a masked structure is exactly zero: filter, bias, batch norm, what follows and meets it") {
  PruneLoop loop(residual_network(), R"({"granularity": "filter", "sparsity": 0.5})", 20);
  loop.learning_rate = 0.1;
  loop.run();
  const std::vector<std::uint8_t> keep = loop.keep("stem.weight");
  for (const char* path : {"stem.weight", "c2.weight", "c2.bias", "n1.shift", "n3.scale",
                           "n3.shift", "dw.weight", "dw.bias"}) {
    CAPTURE(path);
    const auto& mask = loop.keep(path);
    CHECK(std::count(mask.begin(), mask.end(), 0) >= std::ssize(mask) / 2);
  }
  Tensor images = Tensor::persistent({4, 5, 5, 2});
  Random random(3, Stream::test);
  float* x = images.mutable_data();
  for (std::int64_t i = 0; i < images.size(); ++i) x[i] = static_cast<float>(random.normal());
  const NoGradient no_gradient;
  std::int64_t zero_channels = 0;
  loop.network().forward(Variable(images), Pass::begin(Pass::Mode::evaluate, 1, 0),
                         [&](const std::string& node, const Variable& value) {
                           if (node == "input" || node == "last" || node == "flat") return;
                           const Channels channels(loop.network());
                           const std::vector<std::int32_t>& units = channels.units_of(node);
                           const bool trunk = channels.space_of(node) == channels.space_of("stem");
                           for (std::int64_t i = 0; i < value.value().size(); ++i) {
                             const auto c = static_cast<std::size_t>(i) % units.size();
                             const auto unit = static_cast<std::size_t>(units[c]);
                             const bool kept =
                                 trunk ? keep[unit * 18] : loop.keep("n2.shift").at(unit);
                             if (kept) continue;
                             ++zero_channels;
                             CHECK(value.value().values()[static_cast<std::size_t>(i)] == 0.0f);
                           }
                         });
  CHECK(zero_channels > 1000);
  // What reads a masked channel is masked with it.
  for (std::size_t i = 0; i < loop.keep("c1.weight").size(); ++i)
    CHECK((keep[i % 6 * 18] || !loop.keep("c1.weight")[i]));
}

TEST_CASE("part of a structure cannot be left out, and the output is never pruned") {
  const Network network = residual_network();
  const auto names = [&](const std::string& keys) {
    std::vector<std::string> found;
    for (const PruneTarget& t : find_targets(network, prune_config(R"({"sparsity": 0.5, )" + keys)))
      found.push_back(t.name);
    return found;
  };
  CHECK(names(R"("granularity": "filter"})") ==
        std::vector<std::string>{"stem.weight", "c1.weight"});
  CHECK(names(R"("granularity": "filter", "include": ["c1.weight"]})") ==
        std::vector<std::string>{"c1.weight"});
  CHECK_THROWS_WITH_AS(names(R"("granularity": "filter", "exclude": ["c2.weight"]})"),
                       doctest::Contains("the filters of stem.weight, dw.weight and c2.weight make "
                                         "the same channels"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(names(R"("granularity": "neuron"})"),
                       doctest::Contains("try filter (convolutions) or element"), ConfigError);
}

TEST_CASE("channel masks everything that reads a channel") {
  const Network network = residual_network();
  std::vector<PruneTarget> targets =
      find_targets(network, prune_config(R"({"granularity": "channel", "sparsity": 0.5})"));
  REQUIRE(targets.size() == 2);
  CHECK(targets[0].parts.size() == 2);  // c1 and last read the trunk, c2 what c1 makes
  CHECK(targets[0].groups == 6);
  const std::vector<std::int32_t>& groups = targets[0].parts[0].groups;
  for (std::size_t i = 0; i < groups.size(); ++i)
    CHECK(groups[i] == static_cast<std::int32_t>(i % 6));
}

TEST_CASE("residual_block masks the whole branch of an add that can do without it") {
  PruneLoop loop(residual_network(), R"({"granularity": "residual_block", "sparsity": 1})", 5);
  loop.run();
  for (const char* path : {"c1.weight", "n2.scale", "n2.shift", "c2.weight", "c2.bias"}) {
    CAPTURE(path);
    const auto& mask = loop.keep(path);
    CHECK(std::count(mask.begin(), mask.end(), 1) == 0);
  }
  CHECK(loop.parameter("stem.weight").find(kMask) == nullptr);
  const NoGradient no_gradient;
  Tensor trunk;
  loop.network().forward(Variable(Tensor::full({1, 5, 5, 2}, 0.7f)),
                         Pass::begin(Pass::Mode::evaluate, 1, 0),
                         [&](const std::string& node, const Variable& value) {
                           if (node == "r1") trunk = value.value().clone();
                           if (node != "sum") return;
                           for (std::size_t i = 0; i < trunk.values().size(); ++i)
                             CHECK(value.value().values()[i] == trunk.values()[i]);
                         });
  CHECK_THROWS_WITH_AS(
      find_targets(prunable_network(),
                   prune_config(R"({"granularity": "residual_block", "sparsity": 0.5})")),
      doctest::Contains("no such branch is selected; try filter"), ConfigError);
}

TEST_CASE("a block or a window that does not divide a layer names it") {
  const auto fault = [](const std::string& keys) {
    try {
      find_targets(prunable_network(), prune_config(keys));
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(
      fault(R"({"granularity": "block", "block_size": [4, 5], "sparsity": 0.5})") ==
      "block_size: 'conv.weight' has 18 weights per output, expected a multiple of 5; exclude it, "
      "or choose another size");
  CHECK(
      fault(R"({"granularity": "n_m"})") ==
      "pattern: 'conv.weight' has 18 weights per output, expected a multiple of 4; exclude it, or "
      "choose another size");
}

}  // namespace
}  // namespace pare
