// What acts at the end of a calibration: biases that take back what rounding did to a layer's mean
// output, and weights whose rounding is chosen for the layer's output.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compression/method.h"
#include "framework/config/forward.h"
#include "layers/network.h"

namespace pare {

// Latent values from before something was written over them, by their parameter.
using Latents = std::map<const Parameter*, Tensor>;

// b -= E[(W~ - W) x] per output channel, x as the quantized network has it, for the layers of
// `weights` from the front (Nagel et al. 2019, arXiv:1906.04721, section 4.2, with the mean
// measured on the calibration images). W is what `replaced` has of a weight, otherwise its latent
// value: a latent value that lies on its code says nothing of what rounding did. The bias is the
// shift of an absorbed batch norm, otherwise the node's own.
void correct_biases(Network& network, const std::vector<Parameter*>& weights,
                    const ShowImages& show, const Latents& replaced = {});
// Throws ConfigError: a layer of these quantized weights that has neither.
void require_biases(const Network& network, const std::vector<Parameter*>& weights);

// Whether each weight rounds up or down, so that the layer's output changes least (Nagel et al.
// 2020, "Up or down? Adaptive rounding for post-training quantization", arXiv:2004.10568, eq. 21 to
// 25): min ||W x - W~ x^||^2 + lambda sum (1 - |2 h(V) - 1|^beta), W~ = s clip(floor(W / s) +
// h(V)), h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1), beta from 20 to 2, layer by layer from the front.
// In the end a latent weight lies on its code, and the scale is fixed. Quantizer uniform alone.
struct AdaRoundConfig {
  std::int64_t iterations = 1000;
  double learning_rate = 0.01;
  double lambda = 0.01;
  void describe(config::Object& o);
};
// Of those weights. Returns the latent values from before.
Latents round_adaptively(Network& network, const std::vector<Parameter*>& weights,
                         const AdaRoundConfig& config, const ShowImages& show);

}  // namespace pare
