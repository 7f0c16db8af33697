// DoReFa-Net's quantizers (Zhou et al. 2016, arXiv:1606.06160, section 2.3 to 2.5).
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// Weights: 2 q(tanh(w) / (2 max|tanh(w)|) + 1/2) - 1 with q(r) = round((2^b - 1) r) / (2^b - 1):
// odd multiples of 1 / (2^b - 1), so that 0 is none of them and a mask cannot stand in front; one
// grid for the tensor. The gradient goes through tanh, the maximum taken as a constant.
// Activations: clip(x, 0, 1) in 2^b - 1 equal steps behind a relu, clip(x, -1, 1) elsewhere.
std::unique_ptr<Quantizer> make_dorefa(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
