// A network that is quantized already shrinks like any other: its steps, tables and ranges come
// along, and the integers stay the same.
#include <doctest/doctest.h>

#include <set>
#include <utility>

#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/lower/shrink_check.h"
#include "compression/quantize_method.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "tests/compression/prune_loop.h"
#include "tests/compression/shrink_cases.h"

namespace pare {
namespace {

struct Grids {
  const char* what;
  const char* config;
  // The whole tensor at hand makes the grid, so that a weight which goes may have widened it.
  bool of_all_weights = false;
};

const Grids kGrids[] = {
    {"uniform, a scale per channel", R"({"weights": {"bits": 4}})"},
    {"uniform, affine, one scale", R"({"weights": {"bits": 4, "scheme": "affine",
                                        "granularity": "per_tensor"},
                                       "activations": {"bits": 5}})",
     true},
    {"lsq", R"({"weights": {"quantizer": "lsq", "bits": 3},
                "activations": {"quantizer": "lsq", "bits": 4}})"},
    {"lsq, one step", R"({"weights": {"quantizer": "lsq", "bits": 4, "granularity": "per_tensor"},
                          "activations": {"quantizer": "pact", "bits": 4}})"},
    {"codebook", R"({"weights": {"quantizer": "codebook", "levels": 8},
                     "activations": {"quantizer": "lsq", "bits": 6}})"},
    {"codebook, one scale", R"({"weights": {"quantizer": "codebook", "levels": 5, "train": false,
                                 "granularity": "per_tensor", "reassign": "epoch"}})"},
    {"ternary", R"({"weights": {"quantizer": "ternary"}})"},
    {"ternary, one scale", R"({"weights": {"quantizer": "ternary", "granularity": "per_tensor"}})",
     true},
    {"ttq", R"({"weights": {"quantizer": "ttq"}, "activations": {"quantizer": "lsq", "bits": 4}})"},
    {"log2", R"({"weights": {"quantizer": "log2"}, "activations": {"observer": "mse"}})"},
    {"apot", R"({"weights": {"quantizer": "apot"},
                 "activations": {"quantizer": "dorefa", "bits": 6}})"}};

// The codes of the network's output, as its quantizers are.
std::vector<std::int8_t> output_codes(const Network& network, const Tensor& images) {
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const integer::Engine engine(lower(network, final, "x", {}));
  std::vector<std::int8_t> codes(
      static_cast<std::size_t>(images.shape()[0] * engine.output_size()));
  engine.run(input_codes(final, images.values()), codes);
  return codes;
}

void pass(Network& network, const Tensor& images, Pass::Mode mode) {
  const NoGradient no_gradient;
  network.forward(Variable(images), Pass::begin(mode, 1, 0));
  network.release();
}

Network masked_and_quantized(const ShrinkCase& c, const Grids& g, const Tensor& images) {
  PruneLoop loop(network_of_text(c.nodes, {6, 6, 2}), c.config, 12);
  loop.run();
  QuantizeMethod quantize(config::read<QuantizeConfig>(config::load_text(g.config, "x")),
                          Composition::mask_then_quantize);
  quantize.attach(loop.network());
  pass(loop.network(), images, Pass::Mode::calibrate);
  return std::move(loop.network());
}

TEST_CASE("a network that was quantized before it shrinks is the masked one, code for code") {
  const Tensor images = normal_images({32, 6, 6, 2});
  for (const ShrinkCase& c : kShrinkCases) {
    for (const Grids& g : kGrids) {
      if (c.unread && g.of_all_weights) continue;
      CAPTURE(std::string(c.what));
      CAPTURE(std::string(g.what));
      Network network = masked_and_quantized(c, g, images);
      const Shrinkable found = find_shrinkable(network);
      CHECK(found.removed > 0);
      for (const auto rounding : {integer::Rounding::twice, integer::Rounding::once})
        CHECK(shrunk_difference(network, found.kept, images, rounding) == "");
      Network shrunk = without_units(network, found.kept);
      CHECK(shrunk.macs() < network.macs());
      // As they are, no quantizer having seen anything since.
      const std::vector<std::int8_t> codes = output_codes(network, images);
      CHECK(std::set(codes.begin(), codes.end()).size() > 4);
      CHECK(output_codes(shrunk, images) == codes);
      pass(shrunk, images, Pass::Mode::train);  // what came along fits
      CHECK(find_shrinkable(shrunk).removed == 0);
    }
  }
}

TEST_CASE("a grid of the whole tensor changes with the filters that nobody reads: it is refused") {
  const Tensor images = normal_images({32, 6, 6, 2});
  int refused = 0;
  for (const ShrinkCase& c : kShrinkCases) {
    for (const Grids& g : kGrids) {
      if (!c.unread || !g.of_all_weights) continue;
      CAPTURE(std::string(g.what));
      Network network = masked_and_quantized(c, g, images);
      CHECK(shrunk_difference(network, find_shrinkable(network).kept, images,
                              integer::Rounding::twice)
                .starts_with("the codes of edge '"));
      ++refused;
    }
  }
  CHECK(refused == 2);
}

TEST_CASE(
    "a network on grids without an integer form does not shrink: it has no integers to compare") {
  const Tensor images = normal_images({32, 6, 6, 2});
  const std::pair<const char*, const char*> refusals[] = {
      {R"({"activations": {"quantizer": "dynamic"}})", "activations.quantizer: ranges"},
      {R"({"activations": {"bits": 16, "scheme": "symmetric"}})", "activations.bits: codes of 16"},
      {R"({"weights": {"bits": 16}})", "weights.bits: codes of 16"},
      {R"({"weights": {"quantizer": "codebook", "level_bits": 16}})",
       "weights.level_bits: levels"}};
  for (const auto& [config, why] : refusals) {
    CAPTURE(std::string(config));
    Network network = masked_and_quantized(kShrinkCases[1], {"", config}, images);
    const KeptUnits kept = find_shrinkable(network).kept;
    CHECK_THROWS_WITH_AS(shrunk_difference(network, kept, images, integer::Rounding::twice),
                         doctest::Contains((std::string("cannot become integers: ") + why).c_str()),
                         ConfigError);
  }
}

}  // namespace
}  // namespace pare
