// What a quantize method does to a network in the course of its phases, and that it leaves alone
// what is another method's.
#include "compression/quantize_method.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compression/network_json.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/batch_norm.h"
#include "layers/model_config.h"
#include "layers/weighted.h"
#include "tests/compression/draws.h"
#include "tests/compression/evaluated.h"
#include "tests/compression/integer_state.h"

namespace pare {
namespace {

// input - conv, norm, relu - average pool - flat - last
Network small_network() {
  const auto nodes = nlohmann::ordered_json::parse(R"([
    {"name": "conv", "kind": "conv2d", "filters": 3, "kernel": 3},
    {"name": "norm", "kind": "batch_norm"},
    {"name": "relu", "kind": "relu"},
    {"name": "pool", "kind": "avg_pool2d"},
    {"name": "flat", "kind": "flatten"},
    {"name": "last", "kind": "dense", "units": 5}])");
  Network network = network_from_json(nodes, {8, 8, 1});
  network.initialize(1);
  return network;
}

QuantizeConfig config_of(const std::string& text) {
  return config::read<QuantizeConfig>(config::load_text(text, "x"));
}

// One that freezes batch norm at once and quantizes weights, and one that never freezes it and
// quantizes activations.
const char* const kFreezes = R"({"activations": null, "freeze_statistics_at": 0})";
const char* const kNeverFreezes = R"({"weights": null, "freeze_statistics_at": 1})";

constexpr Composition kComposition = Composition::mask_then_quantize;
constexpr double kStepsPerEpoch = 4;

MethodStep at(std::int64_t step, std::int64_t steps, bool applied_here = true) {
  MethodStep result;
  result.span = {steps, kStepsPerEpoch};
  result.step = step;
  result.applied_here = applied_here;
  return result;
}

Tensor images(float factor = 1) {
  Tensor x = random_tensor({6, 8, 8, 1}, 2);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] *= factor;
  return x;
}

void pass(Network& network, const Tensor& x, Pass::Mode mode) {
  const NoGradient no_gradient;
  network.forward(Variable(x), Pass::begin(mode, 1, 0));
  network.release();
}

BatchNorm& norm_of(const Network& network) {
  return dynamic_cast<BatchNorm&>(*network.node("norm").module);
}

const ActivationQuantizer& edge_of_input(const Network& network) {
  return dynamic_cast<const ActivationQuantizer&>(*network.node("input_quant").module);
}

std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
    largest = std::max(largest, std::fabs(difference));
  }
  return largest;
}

TEST_CASE("batch norm is frozen as long as one method freezes it, whoever is saved or released") {
  Network network = small_network();
  QuantizeMethod w(config_of(kFreezes), kComposition), a(config_of(kNeverFreezes), kComposition);
  w.attach(network);
  CHECK_FALSE(norm_of(network).statistics_frozen());
  w.before_step(at(0, 8));
  CHECK(norm_of(network).statistics_frozen());
  w.end_phase(at(8, 8));
  a.attach(network);
  w.before_step(at(0, 8, false));
  a.before_step(at(0, 8));
  CHECK(norm_of(network).statistics_frozen());
  IntegerState saved;
  w.visit_state("w", saved);
  a.visit_state("a", saved);
  CHECK(norm_of(network).statistics_frozen());
  CHECK(saved.kept.at("w/statistics_frozen") == 1);
  CHECK(saved.kept.at("a/statistics_frozen") == 0);

  // As a resumed run does it.
  Network loaded = rebuild_network(describe_network(network));
  QuantizeMethod w_again(config_of(kFreezes), kComposition),
      a_again(config_of(kNeverFreezes), kComposition);
  w_again.adopt(loaded);
  a_again.adopt(loaded);
  CHECK_FALSE(norm_of(loaded).statistics_frozen());
  saved.loading = true;
  w_again.visit_state("w", saved);
  a_again.visit_state("a", saved);
  CHECK(norm_of(loaded).statistics_frozen());

  a.release(network);
  CHECK(norm_of(network).statistics_frozen());
  w.release(network);
  CHECK_FALSE(norm_of(network).statistics_frozen());
}

TEST_CASE("releasing a method takes off its own quantizers alone") {
  Network network = small_network();
  QuantizeMethod w(config_of(kFreezes), kComposition), a(config_of(kNeverFreezes), kComposition);
  a.attach(network);
  w.attach(network);
  w.release(network);
  CHECK(has_activation_quantizers(network));
  for (const Parameter* weight : select_weights(network, {})) CHECK(weight->chain().empty());
  w.attach(network);
  a.release(network);
  CHECK_FALSE(has_activation_quantizers(network));
  for (const Parameter* weight : select_weights(network, {})) CHECK(weight->chain().size() == 1);
}

TEST_CASE("while activations are delayed the network is the float one, whatever others do") {
  Network network = small_network();
  const Tensor x = images();
  const Tensor real = evaluated(network, x);
  QuantizeMethod a(config_of(R"({"weights": null, "delay": 1})"), kComposition);
  a.attach(network);
  a.before_step(at(0, 8));
  pass(network, x, Pass::Mode::calibrate);
  REQUIRE(edge_of_input(network).quantizer().ready());
  CHECK(largest_difference(evaluated(network, x), real) < 1e-6);  // averages behind pools too
  CHECK_FALSE(a.at_target());
  QuantizeMethod w(config_of(kFreezes), kComposition);
  w.attach(network);
  w.before_step(at(0, 8));  // its own state changes
  const Pass evaluation = Pass::begin(Pass::Mode::evaluate, 1, 0);
  CHECK_FALSE(edge_of_input(network).quantizes(evaluation));
  w.release(network);
  a.before_step(at(4, 8));
  CHECK(edge_of_input(network).quantizes(evaluation));
  CHECK(a.at_target());
  CHECK(largest_difference(evaluated(network, x), real) > 1e-4);
}

TEST_CASE("at the end of a calibration everything that a phase would do is done") {
  for (const std::string position : {"0", "0.5", "1"}) {
    CAPTURE(position);
    Network network = small_network();
    QuantizeMethod method(config_of(R"({"delay": 3, "freeze_statistics_at": )" + position + "}"),
                          kComposition);
    method.attach(network);
    pass(network, images(), Pass::Mode::calibrate);
    CHECK_FALSE(norm_of(network).statistics_frozen());
    method.end_phase(at(0, 0));
    CHECK(norm_of(network).statistics_frozen() == (position != "1"));
    CHECK(method.at_target());
    method.before_step(at(0, 8, false));  // of a later phase
    CHECK(norm_of(network).statistics_frozen() == (position != "1"));
  }
  for (const bool frozen : {false, true}) {
    Network network = small_network();
    QuantizeMethod method(config_of(frozen ? R"({"freeze_observers_at": 2})" : "{}"), kComposition);
    method.attach(network);
    pass(network, images(), Pass::Mode::calibrate);
    method.end_phase(at(0, 0));
    const Grid before = edge_of_input(network).quantizer().grid();
    method.before_step(at(0, 8, false));
    pass(network, images(20), Pass::Mode::train);
    CHECK((edge_of_input(network).quantizer().grid() == before) == frozen);
  }
}

TEST_CASE("ranges that stay from the beginning are those of the first batch") {
  Network network = small_network();
  QuantizeMethod method(config_of(R"({"freeze_observers_at": 0})"), kComposition);
  method.attach(network);
  method.before_step(at(0, 8));
  pass(network, images(), Pass::Mode::train);
  REQUIRE(edge_of_input(network).quantizer().ready());
  const Grid first = edge_of_input(network).quantizer().grid();
  method.before_step(at(1, 8));
  pass(network, images(20), Pass::Mode::train);
  CHECK(edge_of_input(network).quantizer().grid() == first);
}

TEST_CASE("what happens within a phase must lie within it") {
  const ScheduleSpan span = {8, kStepsPerEpoch};
  const auto fault = [&](const std::string& keys) { return config_of(keys).too_late(span); };
  CHECK(fault("{}").empty());
  CHECK(fault(R"({"delay": 1.75, "freeze_observers_at": 2})").empty());
  CHECK(fault(R"({"delay": 2})") ==
        "delay: expected an end of the delay within the phase of 8 steps, got 8 steps");
  CHECK(fault(R"({"freeze_observers_at": 50})") ==
        "freeze_observers_at: expected a position within the phase of 8 steps, got 200 steps");
  CHECK(config_of(R"({"delay": 9, "freeze_observers_at": 9})").too_late({0, kStepsPerEpoch}) == "");
}

// Gradients of one step in a network whose activations are another method's.
struct StepGradients {
  std::vector<float> conv, last;
};
StepGradients gradients_with(const std::string& error_penalty) {
  Network network = small_network();
  QuantizeMethod a(config_of(kNeverFreezes), kComposition);
  a.attach(network);
  QuantizeMethod w(config_of(R"({"activations": null, "weights": {"bits": 3},
                                 "overrides": [{"match": "conv", "weights": null}],
                                 "error_penalty": )" +
                             error_penalty + "}"),
                   kComposition);
  w.attach(network);
  pass(network, images(), Pass::Mode::calibrate);
  const Variable y = network.forward(Variable(images()), Pass::begin(Pass::Mode::train, 1, 0));
  backward(weighted_sum(y, random_tensor(Shape{y.value().size()}, 3)));
  const auto gradient = [&](const char* node) {
    return values_of(dynamic_cast<Weighted&>(*network.node(node).module).weight().grad());
  };
  StepGradients gradients{gradient("conv"), gradient("last")};
  network.release();
  return gradients;
}

TEST_CASE("a penalty on errors is for the method's own quantizers") {
  const StepGradients without = gradients_with("0"), with = gradients_with("5");
  CHECK(with.last != without.last);
  CHECK(with.conv == without.conv);
}

std::vector<float> shift_after_calibration(const std::string& keys) {
  Network network = small_network();
  const Tensor x = images();
  QuantizeMethod method(config_of(R"({"activations": null, "weights": {"bits": 2}, )" + keys + "}"),
                        kComposition);
  method.attach(network);
  method.after_calibration([&x](const std::function<void(const Tensor&)>& see) { see(x); });
  method.end_phase(at(0, 0));
  return values_of(norm_of(network).shift().latent());
}

TEST_CASE("biases are corrected behind AdaRound too") {
  const std::vector<float> rounded = shift_after_calibration(R"("adaround": {"iterations": 3})");
  const std::vector<float> corrected =
      shift_after_calibration(R"("adaround": {"iterations": 3}, "correct_bias": true)");
  CHECK(rounded == std::vector<float>(3, 0.0f));
  CHECK(corrected != rounded);
}

TEST_CASE("what acts on weights is refused where a method quantizes none") {
  CHECK_THROWS_WITH_AS(config_of(R"({"weights": null, "adaround": true})"),
                       doctest::Contains("adaround: this method quantizes no weights"),
                       ConfigError);
  CHECK_NOTHROW(config_of(R"({"weights": null, "correct_bias": true,
                              "overrides": [{"match": "last", "weights": {"bits": 4}}]})"));
}

}  // namespace
}  // namespace pare
