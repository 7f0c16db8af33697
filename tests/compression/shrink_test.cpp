// A network without its masked channels is the same network: in float, and code for code in
// integers.
#include <doctest/doctest.h>

#include <algorithm>

#include "compression/lower/shrink_check.h"
#include "compression/network_json.h"
#include "compression/quantize_method.h"
#include "compression/shrink_method.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "tests/compression/prune_loop.h"
#include "tests/compression/shrink_cases.h"

namespace pare {
namespace {

std::vector<float> outputs(Network& network, const Tensor& images) {
  const NoGradient no_gradient;
  const Tensor y =
      network.forward(Variable(images), Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
  network.release();
  return {y.values().begin(), y.values().end()};
}

TEST_CASE("a shrunk network is the masked one, code for code, with fewer multiplications") {
  for (const ShrinkCase& c : kShrinkCases) {
    CAPTURE(c.what);
    PruneLoop loop(network_of_text(c.nodes, {6, 6, 2}), c.config, 12);
    loop.run();
    Network& network = loop.network();
    const Shrinkable found = find_shrinkable(network);
    CHECK(found.removed > 0);
    CHECK(found.whole.empty());
    const Tensor images = images_for(network, 32);
    CHECK(shrunk_difference(network, found.kept, images, integer::Rounding::twice) == "");
    CHECK(shrunk_difference(network, found.kept, images, integer::Rounding::once) == "");
    Network shrunk = without_units(network, found.kept);
    CHECK(shrunk.macs() < network.macs());
    CHECK(shrunk.parameter_count() < network.parameter_count());
    const std::vector<float> before = outputs(network, images), after = outputs(shrunk, images);
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-4));
    CHECK(find_shrinkable(shrunk).removed == 0);
    CHECK(describe_network(rebuild_network(describe_network(shrunk))) == describe_network(shrunk));
  }
}

TEST_CASE("a channel that does something cannot go: the first edge that differs is named") {
  Network network = network_of_text(kShrinkCases[1].nodes, {6, 6, 2});
  Shrinkable found = find_shrinkable(network);
  CHECK(found.removed == 0);
  const Channels channels(network);
  found.kept[channels.space_of("conv2d_1")][3] = 0;
  CHECK(shrunk_difference(network, found.kept, images_for(network, 16), integer::Rounding::twice)
            .starts_with("the codes of edge 'dense_1_relu' differ"));
}

TEST_CASE("grids that hang on pruned weights change without them, and that is noticed") {
  PruneLoop loop(network_of_text(kShrinkCases[4].nodes, {6, 6, 2}), kShrinkCases[4].config, 5);
  Parameter& weight = loop.parameter("dense_2.weight");  // reads what is pruned
  loop.run();
  QuantizeMethod quantize(
      config::read<QuantizeConfig>(config::load_text(
          R"({"weights": {"granularity": "per_tensor", "observe": "dense"}})", "q")),
      Composition::mask_then_quantize);
  quantize.attach(loop.network());
  const std::size_t masked = static_cast<std::size_t>(
      std::find(loop.keep("dense_2.weight").begin(), loop.keep("dense_2.weight").end(), 0) -
      loop.keep("dense_2.weight").begin());
  weight.latent().mutable_data()[masked] = 50;  // widens the grid from under the mask
  const Shrinkable found = find_shrinkable(loop.network());
  CHECK(shrunk_difference(loop.network(), found.kept, images_for(loop.network(), 16),
                          integer::Rounding::twice)
            .starts_with("the codes of edge '"));
}

TEST_CASE("channels of a grouped convolution stay, and it is said") {
  PruneLoop loop(network_of_text(
                     R"([{"kind": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"},
                         {"kind": "conv2d", "filters": 6, "kernel": 3, "groups": 2,
                          "activation": "relu"},
                         {"kind": "flatten"}, {"kind": "dense", "units": 4}])",
                     {6, 6, 2}),
                 R"({"granularity": "filter", "sparsity": 0.5})", 5);
  loop.run();
  const Shrinkable found = find_shrinkable(loop.network());
  CHECK(found.removed == 0);
  CHECK(found.whole ==
        std::vector<std::string>{"'conv2d_2' has groups, whose channels go together",
                                 "'conv2d_2' has groups, whose channels go together"});
}

TEST_CASE("where no channel is masked nothing goes, and it is said why and what to do") {
  Network network = prunable_network();
  const std::int64_t parameters = network.parameter_count();
  std::vector<std::string> said;
  ShrinkMethod method;
  method.prepare({.shrunk_difference = [](Network&, const KeptUnits&) { return std::string(); },
                  .say = [&](const std::string& text) { said.push_back(text); }});
  method.attach(network);
  CHECK(network.parameter_count() == parameters);
  REQUIRE(said.size() == 1);
  CHECK(said[0].starts_with("shrink: no channel is removed, because none is masked as a whole"));
  CHECK(said[0].ends_with("in an earlier phase"));
}

}  // namespace
}  // namespace pare
