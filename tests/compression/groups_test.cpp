// Which relus have a grid of their own, and what a convolution reads where one stands in front.
#include "compression/groups.h"

#include <doctest/doctest.h>

#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/lower/verify.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize_method.h"
#include "framework/config/config.h"
#include "layers/model_config.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

Network network_of(const char* nodes) {
  Network network = network_from_json(nlohmann::ordered_json::parse(nodes), {6, 6, 3});
  network.initialize(3);
  return network;
}

// The tails of all groups.
std::string edges(const Network& network) {
  std::string result;
  for (const Group& group : find_groups(network)) result += group.tail() + " ";
  return result;
}

// A sum whose relu is read by the next sum, and through a second relu by a convolution.
Network residual() {
  return network_of(R"([
    {"kind": "conv2d", "name": "stem", "filters": 8, "kernel": 3, "padding": "same"},
    {"kind": "batch_norm", "name": "stem_bn", "activation": "relu"},
    {"kind": "conv2d", "name": "a", "filters": 8, "kernel": 3, "padding": "same"},
    {"kind": "add", "name": "sum", "inputs": ["a", "stem_bn_relu"], "activation": "relu"},
    {"kind": "relu", "name": "narrow"},
    {"kind": "conv2d", "name": "b", "filters": 8, "kernel": 3, "padding": "same"},
    {"kind": "add", "name": "last", "inputs": ["b", "sum_relu"], "activation": "relu"},
    {"kind": "flatten"}, {"kind": "dense", "name": "fc", "units": 5}])");
}

// Quantized as `method` says and calibrated on random images.
Network quantized(Network network, const char* method) {
  QuantizeMethod quantize(config::read<QuantizeConfig>(config::load_text(method, "x")),
                          Composition::mask_then_quantize);
  quantize.attach(network);
  const NoGradient no_gradient;
  network.forward(Variable(random_tensor({16, 6, 6, 3}, 5)),
                  Pass::begin(Pass::Mode::calibrate, 1, 0));
  network.release();
  return network;
}

int bits_read_by(const Network& network, std::string_view node) {
  return grid_source(network, network.node(node).inputs[0])->quantizer().grid().format.bits;
}

TEST_CASE("a relu has an edge of its own behind another relu and beside another reader") {
  CHECK(edges(residual()) == "stem_bn_relu a sum_relu narrow b last_relu fc ");
  const char* beside = R"([
    {"kind": "conv2d", "name": "a", "filters": 3, "kernel": 3, "padding": "same"},
    {"kind": "relu6", "name": "r"}, {"kind": "add", "name": "sum", "inputs": ["a", "r"]}])";
  CHECK(edges(network_of(beside)) == "a r sum ");
  const char* pooled = R"([
    {"kind": "conv2d", "name": "a", "filters": 3, "kernel": 3, "activation": "relu"},
    {"kind": "max_pool2d", "name": "p"}, {"kind": "relu", "name": "r"}])";
  CHECK(edges(network_of(pooled)) == "a_relu r ");
}

TEST_CASE("a relu that alone reads an edge without one shares its grid") {
  const char* pooled = R"([
    {"kind": "conv2d", "name": "a", "filters": 3, "kernel": 3}, {"kind": "max_pool2d", "name": "p"},
    {"kind": "dropout", "rate": 0.5}, {"kind": "relu", "name": "r"}])";
  CHECK(edges(network_of(pooled)) == "a ");
  CHECK(edges(network_of(R"([{"kind": "relu", "name": "r"}])")) == "");
}

TEST_CASE("a group is the same with the quantizers in the network") {
  const Network plain = residual();
  CHECK(edges(quantized(residual(), "{}")) == edges(plain));
}

TEST_CASE("a sum keeps 8 bits where the convolution behind its second relu reads 4 or 2") {
  for (const char* bits : {"4", "2"}) {
    for (const char* quantizer : {"uniform", "lsq"}) {
      CAPTURE(bits);
      CAPTURE(quantizer);
      const std::string method = std::string(R"({"activations": {"quantizer": ")") + quantizer +
                                 R"(", "bits": )" + bits +
                                 R"(}, "overrides": [{"match": "stem*", "activations": {"bits": 8}},
                              {"match": "sum", "activations": {"bits": 8}}]})";
      const Network network = quantized(residual(), method.c_str());
      CHECK(bits_read_by(network, "b") == std::atoi(bits));
      CHECK(bits_read_by(network, "a") == 8);
      CHECK(grid_source(network, "sum_relu")->quantizer().grid().format.bits == 8);

      const FinalNetwork final = make_final(network, integer::Rounding::twice);
      const FinalEdge& sum = final.edges.at("sum_relu");
      const FinalEdge& narrow = final.edges.at("narrow");
      CHECK(narrow.code_max - narrow.code_min == (1 << std::atoi(bits)) - 1);
      CHECK(narrow.scale > sum.scale);
      const integer::Program program = lower(network, final, "residual", {});
      const Tensor x = random_tensor({32, 6, 6, 3}, 6);
      const Verification result =
          verify(network, final, integer::Engine(program), input_codes(final, x.values()));
      CHECK(result.images == 32);
      INFO(result.first);
      CHECK(result.differing == 0);
    }
  }
}

TEST_CASE("an override finds a relu on its own by its name") {
  const Network network =
      quantized(residual(), R"({"overrides": [{"match": "narrow", "activations": {"bits": 3}}]})");
  CHECK(bits_read_by(network, "b") == 3);
  CHECK(bits_read_by(network, "a") == 8);
  CHECK(grid_source(network, "sum_relu")->quantizer().grid().format.bits == 8);
}

}  // namespace
}  // namespace pare
