// The exact evaluation of the training graph against the integer engine, on random networks: every
// tensor, bit for bit. PARE_NETWORKS sets how many (default 500).
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "compression/attach.h"
#include "compression/groups.h"
#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/lower/verify.h"
#include "compression/quantize/activation_quantizer.h"
#include "framework/base/error.h"
#include "layers/dense.h"
#include "tests/compression/draws.h"
#include "tests/compression/random_network.h"

namespace pare {
namespace {

int networks_wanted() {
  const char* text = std::getenv("PARE_NETWORKS");
  return text ? std::atoi(text) : 500;
}

// How the ordinary float32 forward differs from the exact evaluation, over all edges with a
// quantizer.
struct FloatDifference {
  std::int64_t codes = 0, differing = 0, by_more_than_one = 0;
};

void compare_float_forward(RandomNetwork& random, const FinalNetwork& final,
                           FloatDifference& difference) {
  const EdgeCodes exact = evaluate_exactly(random.network, final, random.input);
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 1, 0);
  random.network.forward(
      Variable(random.images), pass, [&](const std::string& node, const Variable& value) {
        const NetworkNode* found = random.network.find(node);
        if (!found || !dynamic_cast<const ActivationQuantizer*>(found->module.get())) return;
        const std::string edge = edge_of(random.network, node);
        const FinalEdge& grid = final.edges.at(edge);
        const std::vector<std::int8_t>& codes = exact.at(edge);
        for (std::size_t i = 0; i < codes.size(); ++i) {
          const auto got =
              static_cast<std::int32_t>(
                  std::lround((value.value().data()[i] - grid.offset) / grid.scale)) +
              grid.zero_point;
          ++difference.codes;
          difference.differing += got != codes[i];
          difference.by_more_than_one += std::abs(got - codes[i]) > 1;
        }
      });
  random.network.release();
}

// Quantizers on all weights and edges, with the ranges of `x`.
void calibrate(Network& network, const Tensor& x, const WeightQuantizerConfig& weights = {}) {
  attach_weight_quantizers(select_weights(network, {}), Composition::mask_then_quantize, weights);
  attach_activation_quantizers(network, ActivationQuantizerConfig());
  const NoGradient no_gradient;
  network.forward(Variable(x), Pass::begin(Pass::Mode::calibrate, 1, 0));
  network.release();
}

TEST_CASE("random networks: the engine computes exactly what the training graph simulates") {
  Drawn drawn;
  FloatDifference difference;
  std::int64_t codes = 0, raised = 0, raised_edges = 0;
  const int networks = networks_wanted();
  for (int i = 0; i < networks; ++i) {
    CAPTURE(i);
    RandomNetwork random = random_network(static_cast<std::uint64_t>(i) + 1, drawn);
    const FinalNetwork final = make_final(random.network, random.rounding);
    raised += final.raised_channels;
    raised_edges += final.raised_edges;
    const integer::Program program = lower(random.network, final, "random", {});
    for (const bool reference : {false, true}) {
      const Verification result = verify(
          random.network, final, integer::Engine(program, {.reference = reference}), random.input);
      INFO(result.first);
      REQUIRE(result.differing == 0);
      codes += result.codes;
    }
    if (final.raised_channels + final.raised_edges == 0) compare_float_forward(random, final, difference);
  }
  MESSAGE(networks, " networks, ", codes, " codes, ", raised,
          " channels and ", raised_edges, " edges with a raised scale; float32 forward: ", difference.differing, " of ",
          difference.codes, " codes differ, ", difference.by_more_than_one, " by more than one");
  // Errors of one code travel and grow through random layers of large gain; most codes must agree
  // all the same.
  CHECK(difference.differing * 20 < difference.codes);
  if (networks < 100) return;
  for (const std::string& thing : everything_drawable()) {
    CAPTURE(thing);
    CHECK(drawn[thing] > 0);
  }
  for (const auto& [thing, times] : drawn) MESSAGE(thing, ": ", times);
}

// A channel of zeros has scale 1, and the edge behind it one that suits the other channel.
TEST_CASE("an edge whose range is next to nothing has its scale raised, and the engine agrees") {
  Network network({4});
  network.add("d", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 2, .bias = false}));
  network.add("last", {"d"}, std::make_unique<Dense>(DenseOptions{.units = 3}));
  network.initialize(1);
  for (Parameter* p : network.parameters()) {
    if (p->path() != "d.weight") continue;
    for (std::int64_t i = 0; i < 8; ++i) p->latent().mutable_data()[i] *= i < 4 ? 0.0f : 1e-12f;
  }
  const Tensor x = random_tensor({16, 4}, 5);
  calibrate(network, x);
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  CHECK(final.raised_edges == 1);
  CHECK(final.edges.at("d").scale < 1e-6f);  // no more than it takes
  const integer::Program program = lower(network, final, "dead", {});
  const std::vector<std::int8_t> codes = input_codes(final, x.values());
  CHECK(verify(network, final, integer::Engine(program), codes).differing == 0);
}

// Weights of -0.5, 0 and 0.5: in units of sums, half a step of the input, a bias would be off by up
// to a quarter of that step.
TEST_CASE("the bias of weights with few bits has bits behind the point") {
  Network network({4});
  network.add("d", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 3}));
  network.initialize(1);
  const float weights[12] = {0.5f,  -0.5f, 0.0f, 0.5f, 0.0f, 0.5f,
                             -0.5f, 0.0f,  0.5f, 0.5f, 0.0f, 0.0f};
  const float biases[3] = {0.071f, -0.13f, 0.0049f};
  for (Parameter* p : network.parameters()) {
    const bool is_weight = p->path() == "d.weight";
    std::copy_n(is_weight ? weights : biases, is_weight ? 12 : 3, p->latent().mutable_data());
  }
  WeightQuantizerConfig few_bits;
  few_bits.bits = 2;
  const Tensor x = random_tensor({16, 4}, 5);
  calibrate(network, x, few_bits);
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const integer::Program program = lower(network, final, "few_bits", {});
  const auto& dense = std::get<integer::Dense>(program.operations.back());
  CHECK(dense.channels.fraction_bits == 5);
  const integer::Engine engine(program);
  const std::vector<std::int8_t> codes = input_codes(final, x.values());
  CHECK(verify(network, final, engine, codes).differing == 0);
  std::vector<std::int8_t> out(16 * 3);
  engine.run(codes, out);
  const FinalEdge &from = final.edges.at("input"), &to = final.edges.at("d");
  for (std::size_t i = 0; i < out.size(); ++i) {
    double expected = biases[i % 3];
    for (std::size_t k = 0; k < 4; ++k) {
      expected += static_cast<double>(weights[i % 3 * 4 + k] * from.scale) *
                  (codes[i / 3 * 4 + k] - from.zero_point);
    }
    const double got = static_cast<double>(to.scale) * (out[i] - to.zero_point);
    CHECK(std::fabs(got - expected) <= 0.55 * static_cast<double>(to.scale));
  }
}

// In units of 2^-5 its bias would be more than 2^30 of them.
TEST_CASE("fraction bits leave room for the bias of a channel with tiny weights") {
  Network network({4});
  network.add("d", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 2}));
  network.initialize(1);
  for (Parameter* p : network.parameters()) {
    float* values = p->latent().mutable_data();
    if (p->path() == "d.weight") {
      for (std::int64_t i = 0; i < 8; ++i) values[i] = i < 4 ? 1e-7f : 0.5f;
    } else {
      std::fill_n(values, 2, 0.1f);
    }
  }
  WeightQuantizerConfig few_bits;
  few_bits.bits = 2;
  few_bits.granularity = Granularity::per_channel;
  const Tensor x = random_tensor({16, 4}, 5);
  calibrate(network, x, few_bits);
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  CHECK(final.raised_channels == 0);
  const integer::Program program = lower(network, final, "tiny", {});
  const integer::Channels& channels = std::get<integer::Dense>(program.operations.back()).channels;
  CHECK(channels.fraction_bits < 5);
  CHECK(channels.bias[0] > 1 << 28);
  CHECK(channels.bias[0] <= 1 << 30);
  const std::vector<std::int8_t> codes = input_codes(final, x.values());
  CHECK(verify(network, final, integer::Engine(program), codes).differing == 0);
}

// A grid for nothing but zeros has scale 1, in whose units (0.08 here) a bias would be lost.
TEST_CASE("a channel without weights keeps its bias") {
  Network network({4});
  network.add("d", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 3}));
  network.initialize(1);
  constexpr float kBias = 0.0321f;
  for (Parameter* p : network.parameters()) {
    float* values = p->latent().mutable_data();
    if (p->path() == "d.weight") {
      for (std::int64_t i = 0; i < 12; ++i) values[i] *= i < 4 ? 0.0f : i < 8 ? 0.01f : 0.02f;
    } else {
      std::fill_n(values, 3, kBias);
    }
  }
  Tensor x = random_tensor({16, 4}, 5);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] *= 10;
  calibrate(network, x);
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const integer::Program program = lower(network, final, "dead", {});
  const integer::Engine engine(program);
  const std::vector<std::int8_t> codes = input_codes(final, x.values());
  CHECK(verify(network, final, engine, codes).differing == 0);
  std::vector<std::int8_t> out(16 * 3);
  engine.run(codes, out);
  const integer::Tensor& tensor = program.tensors.back();
  for (std::size_t i = 0; i < out.size(); i += 3) {
    const float value = final.edges.at("d").scale * static_cast<float>(out[i] - tensor.zero_point);
    CHECK(std::fabs(value - kBias) <= 0.51f * final.edges.at("d").scale);
  }
}

TEST_CASE(
    "verification names tensor, image and codes when one weight code, multiplier or clamp of the "
    "program is wrong") {
  Drawn drawn;
  int caught_weight = 0, caught_multiplier = 0, caught_clamp = 0;
  for (std::uint64_t seed = 1000; seed < 1060; ++seed) {
    RandomNetwork random = random_network(seed, drawn);
    const FinalNetwork final = make_final(random.network, random.rounding);
    const integer::Program program = lower(random.network, final, "random", {});
    const auto differs = [&](const integer::Program& wrong) {
      const Verification result =
          verify(random.network, final, integer::Engine(wrong), random.input);
      if (result.differing == 0) return false;
      CHECK(result.first.find("tensor 'n") == 0);
      CHECK(result.first.find("image ") != std::string::npos);
      CHECK(result.first.find("code ") != std::string::npos);
      return true;
    };
    auto* dense = std::get_if<integer::Dense>(&program.operations.back());
    REQUIRE(dense != nullptr);
    const auto last = program.operations.size() - 1;
    {
      integer::Program wrong = program;
      auto& op = std::get<integer::Dense>(wrong.operations[last]);
      std::int8_t& code = op.weights.codes[op.weights.codes.size() / 2];
      code = static_cast<std::int8_t>(
          code == 127 || code == (1 << (op.weights.bits - 1)) - 1 ? code - 1 : code + 1);
      caught_weight += differs(wrong);
    }
    {
      integer::Program wrong = program;
      auto& m = std::get<integer::Dense>(wrong.operations[last]).channels.multipliers[0];
      m.value = m.value > (1 << 30) + (1 << 29) ? m.value - (1 << 28) : m.value + (1 << 28);
      caught_multiplier += differs(wrong);
    }
    {
      integer::Program wrong = program;
      integer::Tensor& out = wrong.tensors[static_cast<std::size_t>(wrong.output)];
      out.code_max = out.zero_point;
      out.code_min = std::min(out.code_min, out.zero_point);
      caught_clamp += differs(wrong);
    }
  }
  // Some changes cannot show: an input that is always 0, an output of one bit.
  CHECK(caught_weight >= 10);
  CHECK(caught_multiplier >= 24);
  CHECK(caught_clamp >= 36);
}

}  // namespace
}  // namespace pare
