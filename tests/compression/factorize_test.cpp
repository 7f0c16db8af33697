// Factorization: what it computes against the layers that it replaces, and the rules for its ranks.
#include <doctest/doctest.h>

#include <cmath>

#include "compression/factorize/low_rank.h"
#include "compression/factorize_method.h"
#include "compression/method_config.h"
#include "compression/network_json.h"
#include "framework/config/config.h"
#include "framework/random.h"
#include "framework/base/error.h"
#include "framework/svd.h"
#include "layers/model_config.h"
#include "layers/weighted.h"

using namespace pare;

namespace {

constexpr const char* kModel = R"([
  {"name": "conv", "kind": "conv2d", "inputs": ["input"], "filters": 6, "kernel": 3, "stride": 2, "padding": "same"},
  {"name": "norm", "kind": "batch_norm", "inputs": ["conv"]},
  {"name": "act1", "kind": "relu", "inputs": ["norm"]},
  {"name": "wide", "kind": "conv2d", "inputs": ["act1"], "filters": 9, "kernel": [3, 2], "padding": 1},
  {"name": "act2", "kind": "relu", "inputs": ["wide"]},
  {"name": "flat", "kind": "flatten", "inputs": ["act2"]},
  {"name": "fc", "kind": "dense", "inputs": ["flat"], "units": 12},
  {"name": "last", "kind": "dense", "inputs": ["fc"], "units": 4}
])";

Network make_network() {
  Network network = network_from_json(nlohmann::ordered_json::parse(kModel), {8, 7, 3});
  network.initialize(3);
  Random random(5, Stream::test);
  for (Parameter* parameter : network.parameters()) {
    if (parameter->role() != "bias") continue;
    for (std::int64_t i = 0; i < parameter->shape().size(); ++i)
      parameter->latent().mutable_data()[i] = random.uniform(-1, 1);
  }
  return network;
}

MethodConfig method(const std::string& keys) {
  return config::read<MethodConfig>(
      config::load_text(R"({"kind": "factorize", )" + keys + "}", "test"));
}

void factorize(Network& network, const std::string& keys) {
  make_method(method(keys), Composition::mask_then_quantize)->attach(network);
}

std::vector<float> output_of(Network& network) {
  Random random(9, Stream::test);
  Tensor x(Shape{5, 8, 7, 3});
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = random.uniform(-1, 1);
  const Tensor y =
      network.forward(Variable(x), Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
  network.release();
  return {y.values().begin(), y.values().end()};
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::fabs(double{a[i]} - double{b[i]}));
  return worst;
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(no error)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> names_of(const Network& network) {
  std::vector<std::string> names;
  for (const NetworkNode& node : network.nodes()) names.push_back(node.name);
  return names;
}

std::int64_t rows_of(const Network& network, const std::string& node) {
  return dynamic_cast<const Weighted&>(*network.node(node).module).weight().shape()[0];
}

}  // namespace

TEST_CASE("a factorization of full rank computes what the layer did") {
  const std::vector<float> before = [] {
    Network network = make_network();
    return output_of(network);
  }();
  for (const std::string keys :
       {R"("rank": 4, "include": ["last.weight"])", R"("rank": 12, "include": ["fc.weight"])",
        R"("rank": 6, "include": ["conv.weight"])", R"("rank": 9, "include": ["wide.weight"])",
        R"("method": "tucker2", "rank": [9, 6], "include": ["wide.weight"])",
        R"("method": "tucker2", "rank": [6, 3], "include": ["conv.weight"])"}) {
    CAPTURE(keys);
    Network network = make_network();
    factorize(network, keys);
    CHECK(network.nodes().size() > 8);
    CHECK(largest_difference(output_of(network), before) < 1e-5);
  }
}

TEST_CASE("names are derived, the last node has the bias, and readers follow") {
  Network network = make_network();
  factorize(network, R"("rank": 2, "include": ["fc.weight", "last.weight"])");
  factorize(network, R"("method": "tucker2", "rank": [3, 2], "include": ["wide.weight"])");
  CHECK(names_of(network) ==
        std::vector<std::string>{"conv", "norm", "act1", "wide_in", "wide_core",
                                 "wide_out", "act2", "flat", "fc_in", "fc_out", "last_in",
                                 "last_out"});
  CHECK(network.output() == "last_out");
  for (const char* node : {"wide_in", "wide_core", "fc_in", "last_in"})
    CHECK(dynamic_cast<Weighted&>(*network.node(node).module).bias() == nullptr);
  for (const char* node : {"wide_out", "fc_out", "last_out"})
    CHECK(dynamic_cast<Weighted&>(*network.node(node).module).bias() != nullptr);
  CHECK(network.node("act2").inputs == std::vector<std::string>{"wide_out"});
  const Network again = rebuild_network(describe_network(network), nullptr);
  CHECK(describe_network(again) == describe_network(network));
}

TEST_CASE("energy keeps the fewest values that hold its share of the squares") {
  // Squares 16, 4, 4, 1 of 25: shares 0.64, 0.8, 0.96, 1.
  const std::vector<double> values = {4, 2, 2, 1};
  CHECK(rank_by_energy(values, 0.5) == 1);
  CHECK(rank_by_energy(values, 0.64) == 1);
  CHECK(rank_by_energy(values, 0.65) == 2);
  CHECK(rank_by_energy(values, 0.96) == 3);
  CHECK(rank_by_energy(values, 1) == 4);

  const Network plain = make_network();
  const auto& fc = dynamic_cast<const Weighted&>(*plain.node("fc").module).weight().latent();
  const std::vector<double> matrix(fc.values().begin(), fc.values().end());
  const std::vector<double> found = svd(matrix, fc.shape()[0], fc.shape()[1]).values;
  Network network = make_network();
  factorize(network, R"("energy": 0.5, "include": ["fc.weight"])");
  const std::int64_t rank = rows_of(network, "fc_in");
  double all = 0, kept = 0;
  for (std::size_t k = 0; k < found.size(); ++k) {
    all += found[k] * found[k];
    if (static_cast<std::int64_t>(k) < rank) kept += found[k] * found[k];
  }
  const double last = found[static_cast<std::size_t>(rank) - 1];
  CHECK(kept >= 0.5 * all);
  CHECK(kept - last * last < 0.5 * all);
}

TEST_CASE("energy leaves a layer alone that would not become smaller") {
  Network network = make_network();
  factorize(network, R"("energy": 1)");
  CHECK(names_of(network) == names_of(make_network()));
}

TEST_CASE("Tucker-2 is exact on a kernel that has its ranks, and not below them") {
  // A kernel [8, 3, 3, 7] made of 3 output and 2 input directions.
  Random random(11, Stream::test);
  const auto draw = [&](std::size_t n) {
    std::vector<double> x(n);
    for (double& v : x) v = static_cast<double>(random.uniform(-1, 1));
    return x;
  };
  const std::vector<double> u = draw(8 * 3), v = draw(7 * 2), small = draw(3 * 9 * 2);
  Tensor weight(Shape{8, 3, 3, 7});
  for (std::size_t o = 0; o < 8; ++o) {
    for (std::size_t tap = 0; tap < 9; ++tap) {
      for (std::size_t i = 0; i < 7; ++i) {
        double sum = 0;
        for (std::size_t p = 0; p < 3; ++p) {
          for (std::size_t q = 0; q < 2; ++q)
            sum += u[o * 3 + p] * small[(p * 9 + tap) * 2 + q] * v[i * 2 + q];
        }
        weight.mutable_data()[(o * 9 + tap) * 7 + i] = static_cast<float>(sum);
      }
    }
  }
  const auto error = [&](std::int64_t p_count, std::int64_t q_count) {
    const ThreeFactors f = tucker2(weight, {.rank = p_count}, {.rank = q_count});
    double worst = 0;
    for (std::int64_t o = 0; o < 8; ++o) {
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        for (std::int64_t i = 0; i < 7; ++i) {
          double sum = 0;
          for (std::int64_t p = 0; p < p_count; ++p) {
            for (std::int64_t q = 0; q < q_count; ++q)
              sum += double{f.output.data()[o * p_count + p]} *
                     double{f.core.data()[(p * 9 + tap) * q_count + q]} *
                     double{f.input.data()[q * 7 + i]};
          }
          worst = std::max(worst, std::fabs(sum - double{weight.data()[(o * 9 + tap) * 7 + i]}));
        }
      }
    }
    return worst;
  };
  CHECK(error(3, 2) < 1e-6);
  CHECK(error(2, 2) > 1e-2);
  CHECK(error(3, 1) > 1e-2);
}

TEST_CASE("what cannot be factorized is refused with its name") {
  const auto refusal = [](const std::string& keys) {
    Network network = make_network();
    return error_of([&] { factorize(network, keys); });
  };
  CHECK(refusal(R"("rank": 13, "include": ["fc.weight"])") ==
        "rank: expected at most 12 for 'fc.weight' (a matrix of its outputs by the rest), got 13; "
        "or exclude it");
  CHECK(contains(refusal(R"("method": "tucker2", "rank": [4, 7], "include": ["wide.weight"])"),
                 "rank: expected at most 6 for 'wide.weight' (its input channels), got 7"));
  CHECK(contains(refusal(R"("method": "tucker2", "rank": 2, "include": ["fc.weight"])"),
                 "'fc' is a dense; expected convolutions without groups"));
  Network pruned = make_network();
  make_method(config::read<MethodConfig>(
                  config::load_text(R"({"kind": "prune", "sparsity": 0.5})", "test")),
              Composition::mask_then_quantize)
      ->attach(pruned);
  CHECK(contains(error_of([&] { factorize(pruned, R"("rank": 2)"); }),
                 "'conv.weight' has a mask already"));
}
