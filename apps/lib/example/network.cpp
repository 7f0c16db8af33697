#include "apps/lib/example/network.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "compression/groups.h"
#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/lower/verify.h"
#include "compression/post_training.h"
#include "compression/prune_method.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/autograd/variable.h"
#include "layers/activation.h"
#include "layers/dense.h"

namespace pare::example {
namespace {

void set(Parameter& parameter, std::initializer_list<float> values) {
  std::ranges::copy(values, parameter.latent().mutable_data());
}

Tensor tensor(const Shape& shape, std::span<const float> values) {
  Tensor result(shape);
  std::ranges::copy(values, result.mutable_data());
  return result;
}

// One batch: the corners of the square in which inputs lie.
void calibrate(Network& network, const Pass& pass) {
  constexpr std::array<float, 8> kCorners = {0, 0, 0, 1, 1, 0, 1, 1};
  const NoGradient no_gradient;
  network.forward(Variable(tensor({4, 2}, kCorners)), pass);
}

}  // namespace

Network make_network() {
  Network network({2});
  network.add("dense1", {"input"}, std::make_unique<Dense>(DenseOptions{.units = 2}));
  network.add("relu", {"dense1"}, make_activation("relu"));
  network.add("dense2", {"relu"}, std::make_unique<Dense>(DenseOptions{.units = 1}));
  const std::vector<Parameter*> all = network.parameters();
  set(*all[0], {0.2f, 0.3f, 0.5f, 0.1f});
  set(*all[1], {0.1f, 0.2f});
  set(*all[2], {0.4f, 0.6f});
  set(*all[3], {0.5f});
  return network;
}

std::vector<std::int32_t> first_layer_codes(Composition composition) {
  Network network = make_network();
  const std::vector<Parameter*> weights =
      select_weights(network, {.include = {"dense1.weight"}, .exclude = {}});
  Parameter& w1 = *weights[0];
  PruneConfig half;
  half.sparsity = Schedule::constant(0.5);
  half.include = {w1.path()};
  PruneMethod prune(half, composition);
  prune.attach(network);
  MethodStep first{.span = {.steps = 1, .steps_per_epoch = 1}};
  first.applied_here = true;
  prune.before_step(first);

  WeightQuantizerConfig int8;
  int8.granularity = Granularity::per_tensor;
  attach_weight_quantizers(weights, composition, int8);
  const Tensor value = w1.value(Pass::begin(Pass::Mode::train, 1, 0)).value();
  const auto& quantizer = dynamic_cast<const WeightQuantizer&>(*w1.find(kWeightQuantizer));
  const double scale = quantizer.quantizer().grid().scales[0];
  std::vector<std::int32_t> codes;
  for (const int i : {0, 2, 1, 3}) {  // from [out, in] to the document's [in, out]
    codes.push_back(static_cast<std::int32_t>(std::lround(value.data()[i] / scale)));
  }
  return codes;
}

Answer answer(const std::array<float, 2>& input) {
  Network network = make_network();
  const Variable x(tensor({1, 2}, input));
  const Pass evaluate = Pass::begin(Pass::Mode::evaluate, 1, 0);
  Answer result{.real = network.forward(x, evaluate).value().data()[0]};

  quantize_after_training(network, [&](const Pass& pass) { calibrate(network, pass); });
  const FinalNetwork final = make_final(network, integer::Rounding::twice);
  const integer::Engine engine(lower(network, final, "two_two_one", {}));
  const FinalEdge& in = final.edges.at("input");
  std::array<std::int8_t, 2> codes{};
  for (int i = 0; i < 2; ++i) {
    codes[i] = static_cast<std::int8_t>(
        to_code(input[i], 1.0 / in.scale, in.zero_point, in.code_min, in.code_max));
  }
  std::array<std::int8_t, 1> output{};
  engine.run(codes, output);
  const FinalEdge& out = final.edges.at("dense2");
  result.code = output[0];
  result.zero_point = out.zero_point;
  result.scale = out.scale;
  result.differing = verify(network, final, engine, codes).differing;
  return result;
}

}  // namespace pare::example
