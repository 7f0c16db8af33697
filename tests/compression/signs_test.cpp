// Signs of activations: two levels, their gradient, where they may stand, and that the integers are
// the sign of what the layer in front computes.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "compression/attach.h"
#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/lower/verify.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/sign_edges.h"
#include "tests/compression/draws.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

ActivationQuantizerConfig signs() {
  ActivationQuantizerConfig config;
  config.quantizer = "binary";
  config.bits = 1;
  return config;
}

std::unique_ptr<Quantizer> made(const Tensor& x) {
  auto quantizer = make_quantizer(signs(), QuantizerPlace::Use::activations, "x", x.shape(), -1);
  quantizer->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
  return quantizer;
}

// conv - batch norm - pool - conv - batch norm - flatten - dense, signs behind both batch norms.
Network xnor() {
  Network network = network_of_text(R"([
    {"name": "c1", "kind": "conv2d", "filters": 6, "kernel": 3},
    {"name": "n1", "kind": "batch_norm"}, {"name": "pool", "kind": "max_pool2d", "size": 2},
    {"name": "c2", "kind": "conv2d", "filters": 5, "kernel": 2},
    {"name": "n2", "kind": "batch_norm"}, {"name": "flat", "kind": "flatten"},
    {"name": "last", "kind": "dense", "units": 3}])",
                                    {10, 10, 2});
  WeightQuantizerConfig binary;
  binary.quantizer = "binary";
  binary.bits = 1;
  attach_weight_quantizers(select_weights(network, {}), Composition::mask_then_quantize, binary);
  attach_activation_quantizers(network, [](const std::string& node) {
    return node == "n1" || node == "n2" ? signs() : ActivationQuantizerConfig();
  });
  return network;
}

}  // namespace

TEST_CASE("signs: the mean magnitude and its negative, and the gradient where |x| <= 1") {
  const float values[] = {-3, -0.5f, 0, 0.25f, 1.25f};
  const float weights[] = {1, 2, 3, 4, 5};
  const Tensor x = Tensor::from({1, 5}, values);
  auto quantizer = made(x);
  Variable leaf(x, true);
  const Variable y = quantizer->quantize(leaf, Pass::begin(Pass::Mode::train, 1, 0));
  for (std::int64_t i = 0; i < 5; ++i) CHECK(y.value().data()[i] == (i < 2 ? -1 : 1));  // 5 / 5
  backward(weighted_sum(y, Tensor::from({5}, weights)));
  const std::vector<float> expected = {0, 2, 3, 4, 0};
  CHECK(std::vector<float>(leaf.grad().values().begin(), leaf.grad().values().end()) == expected);
}

TEST_CASE("signs: alpha moves by a hundredth a batch, and is the mean of all in a calibration") {
  auto quantizer = made(Tensor::full({1, 4}, 1.0f));
  quantizer->observe(Tensor::full({1, 4}, 3.0f), Pass::begin(Pass::Mode::train, 1, 1));
  CHECK(quantizer->grid().scales[0] == doctest::Approx(2 * (1 + 0.01 * 2)));
  quantizer = made(Tensor::full({1, 4}, 1.0f));
  for (const float v : {2.0f, 6.0f})
    quantizer->observe(Tensor::full({1, 4}, v), Pass::begin(Pass::Mode::calibrate, 1, 1));
  CHECK(quantizer->grid().scales[0] == doctest::Approx(2 * 3));
}

TEST_CASE("signs in integers: one where the layer in front is not negative, with no code between") {
  Network network = xnor();
  Tensor x = random_tensor({20, 10, 10, 2}, 4);
  {
    const NoGradient no_gradient;
    network.forward(Variable(x), Pass::begin(Pass::Mode::train, 1, 0));  // statistics too
    network.forward(Variable(x), Pass::begin(Pass::Mode::calibrate, 1, 0));
    network.release();
  }
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const integer::Program program = lower(network, final, "xnor", {});
  const std::vector<std::int8_t> codes = input_codes(final, x.values());
  CHECK(verify(network, final, integer::Engine(program), codes).differing == 0);
  const EdgeCodes exact = evaluate_exactly(network, final, codes);
  const std::vector<std::int8_t>& first = exact.at("n1");
  CHECK(std::set<std::int8_t>(first.begin(), first.end()) == std::set<std::int8_t>{126, 127});
  std::int64_t differing = 0;
  const NoGradient no_gradient;
  network.forward(Variable(x), Pass::begin(Pass::Mode::evaluate, 1, 0),
                  [&](const std::string& node, const Variable& value) {
                    if (node != "n1") return;
                    for (std::size_t i = 0; i < first.size(); ++i)
                      differing += (value.value().data()[i] >= 0) != (first[i] == 127);
                  });
  CHECK(differing * 100 < std::ssize(first));  // what rounding of inputs and biases moves over 0
}

TEST_CASE("signs stand where no relu, sum, average or padded zero is beside them") {
  const auto fault = [](const std::string& nodes) {
    return sign_fault(network_of_text("[" + nodes + "]", {8, 8, 2}), "n");
  };
  const std::string conv =
      R"({"name": "c", "kind": "conv2d", "filters": 4, "kernel": 1}, {"name": "n", "kind": "batch_norm"})";
  const std::string end =
      R"(, {"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 2})";
  CHECK(fault(conv + end) == "");
  CHECK(fault(conv + R"(, {"kind": "max_pool2d", "name": "p"})" + end) == "");
  CHECK(fault(conv + R"(, {"kind": "avg_pool2d", "name": "p"})" + end).find("'p' (avg_pool2d)") ==
        0);
  CHECK(fault(conv + R"(, {"kind": "conv2d", "name": "p", "filters": 1, "kernel": 3,
                        "padding": "same"})" +
              end)
            .find("'p' pads with 0") == 0);
  CHECK(sign_fault(prunable_network(), "r1").find("behind a relu") == 0);
}

}  // namespace pare
