#include "compression/quantize_choice.h"

#include <doctest/doctest.h>

#include "compression/attach.h"
#include "compression/lower/final.h"
#include "compression/prune/mask.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/model_config.h"

using namespace pare;

namespace {

// input - a, relu - pool - b - norm, relu - flat - c
Network network() {
  const auto nodes = nlohmann::ordered_json::parse(R"([
    {"name": "a", "kind": "conv2d", "filters": 3, "kernel": 3},
    {"name": "a_relu", "kind": "relu"},
    {"name": "pool", "kind": "max_pool2d"},
    {"name": "b", "kind": "conv2d", "filters": 4, "kernel": 2},
    {"name": "norm", "kind": "batch_norm"},
    {"name": "b_relu", "kind": "relu"},
    {"name": "flat", "kind": "flatten"},
    {"name": "c", "kind": "dense", "units": 5}])");
  Network result = network_from_json(nodes, {8, 8, 1});
  result.initialize(1);
  return result;
}

QuantizeConfig quantize(const std::string& text) {
  return config::read<QuantizeConfig>(config::load_text(text, "x"));
}

// "a:4 b:8 c:- | input:8 a_relu:4 ...": bits of weights and edges, '-' where they stay float.
std::string bits(const std::string& text) {
  const Network net = network();
  const QuantizeConfig config = quantize(text);
  const QuantizeChoice choice(config, net);
  std::string result;
  const auto add = [&](const std::string& name, const auto& chosen) {
    result += name + ":" + (chosen ? std::to_string(chosen->bits) : "-") + " ";
  };
  for (const char* node : {"a", "b", "c"}) add(node, choice.weights(node));
  result += "| ";
  for (const char* node : {"input", "a_relu", "b_relu", "c"}) add(node, choice.activations(node));
  return result;
}

Parameter& weight_of(Network& net, const std::string& path) {
  for (Parameter* parameter : net.parameters()) {
    if (parameter->path() == path) return *parameter;
  }
  FAIL("no parameter");
  return *net.parameters()[0];
}

}  // namespace

TEST_CASE("the network's ends have 8 bits, first_last_bits is for weights and what enters them") {
  const std::string four = R"("weights": {"bits": 4}, "activations": {"bits": 5})";
  CHECK(bits("{" + four + "}") == "a:4 b:4 c:4 | input:8 a_relu:5 b_relu:5 c:8 ");
  CHECK(bits("{" + four + R"(, "first_last_bits": 7})") ==
        "a:7 b:4 c:7 | input:8 a_relu:5 b_relu:7 c:8 ");
}

TEST_CASE("the first override that matches counts, and keys it leaves out are the method's") {
  const std::string method =
      R"({"weights": {"bits": 4, "scale": "power_of_two"}, "first_last_bits": 7,
    "overrides": [{"match": "b*", "weights": {"scheme": "affine"}},
                  {"match": "*", "weights": {"bits": 6}},
                  {"match": "norm", "activations": {"bits": 3}},
                  {"match": "c", "activations": {"bits": 2}}]})";
  CHECK(bits(method) == "a:6 b:4 c:6 | input:8 a_relu:8 b_relu:3 c:2 ");
  const Network net = network();
  const QuantizeConfig config = quantize(method);
  const QuantizeChoice choice(config, net);
  CHECK(choice.weights("b")->scheme == Scheme::affine);
  CHECK(choice.weights("b")->scale == ScaleKind::power_of_two);
}

TEST_CASE("null leaves weights or an edge float") {
  CHECK(bits(R"({"overrides": [{"match": "b", "weights": null},
                               {"match": "a", "activations": null}]})") ==
        "a:8 b:- c:8 | input:8 a_relu:- b_relu:8 c:8 ");
  CHECK(quantize(R"({"overrides": [{"match": "b", "weights": null}]})").leaves_floats());
  CHECK_FALSE(
      quantize(R"({"overrides": [{"match": "b", "weights": {"bits": 2}}]})").leaves_floats());
}

TEST_CASE("a pattern that matches no node is refused with the nearest name") {
  const Network net = network();
  const QuantizeConfig config =
      quantize(R"({"overrides": [{"match": "nom", "weights": {"bits": 2}}]})");
  CHECK_THROWS_WITH_AS(QuantizeChoice(config, net),
                       doctest::Contains("pattern 'nom' matches no node (did you mean 'norm'?)"),
                       ConfigError);
}

TEST_CASE("activations for a node that shares its input's grid are refused with the grid's owner") {
  const Network net = network();
  const QuantizeConfig config =
      quantize(R"({"overrides": [{"match": "p*", "activations": {"bits": 4}}]})");
  CHECK_THROWS_WITH_AS(
      QuantizeChoice(config, net),
      doctest::Contains("'activations' of pattern 'p*' would change nothing: 'pool' has no grid of "
                        "its own (did you mean 'a_relu'?); what has one is behind: a, a_relu, b, "
                        "b_relu, norm, c, input"),
      ConfigError);
  CHECK_NOTHROW(
      QuantizeChoice(quantize(R"({"overrides": [{"match": "p*", "weights": {"bits": 4}}]})"), net));
  CHECK_NOTHROW(QuantizeChoice(
      quantize(R"({"overrides": [{"match": "*", "activations": {"bits": 4}}]})"), net));
}

TEST_CASE("what is printed of an override is what it sets") {
  const std::string text = R"({"overrides":[{"match":"b","weights":null}]})";
  const config::Json json = config::write(quantize(text));
  CHECK(json["overrides"][0].dump() == R"({"match":"b","weights":null})");
}

TEST_CASE("a method with overrides attaches, trains and becomes integers") {
  Network net = network();
  QuantizeMethod method(quantize(R"({"first_last_bits": 6, "overrides": [
    {"match": "input", "activations": {"bits": 7}}, {"match": "b", "weights": {"bits": 3}}]})"),
                        Composition::mask_then_quantize);
  method.attach(net);
  const NoGradient no_gradient;
  net.forward(Variable(Tensor::full({2, 8, 8, 1}, 0.5f)), Pass::begin(Pass::Mode::calibrate, 1, 0));
  net.release();
  const FinalNetwork final = make_final(net, integer::Rounding::twice);
  CHECK(final.weights.at("a").weights.bits == 6);
  CHECK(final.weights.at("b").weights.bits == 3);
  CHECK(final.edges.at("input").code_max - final.edges.at("input").code_min == 127);
  method.release(net);
  CHECK_FALSE(has_activation_quantizers(net));
  CHECK(weight_of(net, "b.weight").chain().empty());
}

TEST_CASE("observe says whose range is taken") {
  // Latent 1 and 8, 8 is pruned. scale = largest / 127.
  const auto largest = [](Observed observed, Composition composition) {
    Parameter w("weight", Shape{1, 2}, 0, true);
    w.latent().mutable_data()[0] = 1;
    w.latent().mutable_data()[1] = 8;
    WeightQuantizerConfig config;
    config.observe = observed;
    attach_mask(w, composition, true)->keep() = {1, 0};
    attach_weight_quantizers({&w}, composition, config);
    const NoGradient no_gradient;
    w.value(Pass::begin(Pass::Mode::train, 1, 0));
    const auto* transform = dynamic_cast<WeightQuantizer*>(w.find(kWeightQuantizer));
    return static_cast<double>(transform->quantizer().grid().scales[0]) * 127;
  };
  const auto mask_first = Composition::mask_then_quantize,
             mask_last = Composition::quantize_then_mask;
  CHECK(largest(Observed::masked, mask_first) == doctest::Approx(1));
  CHECK(largest(Observed::dense, mask_first) == doctest::Approx(8));
  CHECK(largest(Observed::survivors, mask_first) == doctest::Approx(1));
  CHECK(largest(Observed::masked, mask_last) == doctest::Approx(8));
  CHECK(largest(Observed::dense, mask_last) == doctest::Approx(8));
  CHECK(largest(Observed::survivors, mask_last) == doctest::Approx(1));
}
