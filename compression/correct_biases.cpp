#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "compression/after_calibration.h"
#include "compression/groups.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "layers/batch_norm.h"
#include "layers/weighted.h"

namespace pare {
namespace {

// A group; `quantizer` is null where its weights are not quantized or not among those in question.
struct Layer {
  const NetworkNode* node;
  Weighted* weighted = nullptr;
  WeightQuantizer* quantizer = nullptr;
  BatchNorm* batch_norm = nullptr;
};

Layer layer_of(const Network& network, const Group& group, const std::vector<Parameter*>& weights) {
  Layer layer{.node = &network.node(group.head)};
  layer.weighted = dynamic_cast<Weighted*>(layer.node->module.get());
  if (layer.weighted &&
      std::find(weights.begin(), weights.end(), &layer.weighted->weight()) != weights.end()) {
    layer.quantizer =
        dynamic_cast<WeightQuantizer*>(layer.weighted->weight().find(kWeightQuantizer));
  }
  if (!group.batch_norm.empty()) {
    layer.batch_norm = dynamic_cast<BatchNorm*>(network.node(group.batch_norm).module.get());
  }
  return layer;
}

// The layer's weight as it was before quantization, as long as this lives.
class Unquantized {
 public:
  Unquantized(const Layer& layer, const Latents& replaced)
      : weight_(layer.weighted->weight()), quantizer_(*layer.quantizer) {
    if (const auto found = replaced.find(&weight_); found != replaced.end()) other_ = found->second;
    quantizer_.switch_on(false);
    exchange();
  }
  ~Unquantized() {
    quantizer_.switch_on(true);
    exchange();
  }
  Unquantized(const Unquantized&) = delete;
  Unquantized& operator=(const Unquantized&) = delete;

 private:
  void exchange() {
    weight_.release();  // its value is another one from here on
    if (other_.defined()) std::swap(weight_.latent(), other_);
  }

  Parameter& weight_;
  WeightQuantizer& quantizer_;
  Tensor other_;
};

Pass evaluation() { return Pass::begin(Pass::Mode::evaluate, 0, 0); }

void add_channel_sums(const Tensor& y, double sign, std::vector<double>& sums) {
  for (std::int64_t i = 0; i < y.size(); ++i) {
    sums[static_cast<std::size_t>(i) % sums.size()] += sign * static_cast<double>(y.data()[i]);
  }
}

// E[(W~ - W) x] per output channel, x what the layer reads in the quantized network.
std::vector<double> mean_error(Network& network, const Layer& layer, const ShowImages& show,
                               const Latents& replaced) {
  std::vector<double> sums(static_cast<std::size_t>(layer.node->shape[-1]), 0);
  std::int64_t rows = 0;
  show([&](const Tensor& images) {
    network.forward(
        Variable(images), evaluation(), [&](const std::string& name, const Variable& value) {
          if (name != layer.node->inputs[0]) return;
          const Variable input[] = {value};
          const auto output = [&] { return layer.weighted->forward(input, evaluation()).value(); };
          add_channel_sums(output(), 1, sums);
          const Unquantized unquantized(layer, replaced);
          const Tensor real = output();
          add_channel_sums(real, -1, sums);
          rows += real.size() / std::ssize(sums);
        });
  });
  for (double& sum : sums) sum /= static_cast<double>(rows);
  return sums;
}

void subtract(Tensor& bias, const std::vector<double>& error) {
  float* values = bias.mutable_data();
  for (std::size_t c = 0; c < error.size(); ++c)
    values[c] = static_cast<float>(static_cast<double>(values[c]) - error[c]);
}

// Behind a batch norm the error is multiplied by scale / sqrt(variance + epsilon).
void take_back(const Layer& layer, std::vector<double> error) {
  if (!layer.batch_norm) return subtract(layer.weighted->bias()->latent(), error);
  BatchNorm& norm = *layer.batch_norm;
  for (std::size_t c = 0; c < error.size(); ++c) {
    error[c] *= static_cast<double>(norm.scale().latent().data()[c]) /
                std::sqrt(static_cast<double>(norm.variance().data()[c]) + norm.epsilon());
  }
  subtract(norm.shift().latent(), error);
}

}  // namespace

void require_biases(const Network& network, const std::vector<Parameter*>& weights) {
  for (const Group& group : find_groups(network)) {
    const Layer layer = layer_of(network, group, weights);
    if (!layer.quantizer || layer.batch_norm || layer.weighted->bias()) continue;
    throw ConfigError(fmt::format(
        "correct_bias: node '{}' has no bias to correct, and no batch norm behind it; expected "
        "\"bias\": true there",
        group.head));
  }
}

void correct_biases(Network& network, const std::vector<Parameter*>& weights,
                    const ShowImages& show, const Latents& replaced) {
  const NoGradient no_gradient;
  for (const Group& group : find_groups(network)) {
    const Layer layer = layer_of(network, group, weights);
    if (!layer.quantizer) continue;
    const std::vector<double> error = mean_error(network, layer, show, replaced);
    network.release();  // writing needs sole ownership
    take_back(layer, error);
  }
}

}  // namespace pare
