// PACT: activations are clipped at a bound that is learned (Choi et al. 2018, "PACT: parameterized
// clipping activation for quantized neural networks", arXiv:1805.06085).
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// Behind a relu (scheme affine): y = clip(x, 0, alpha) in 2^b - 1 equal steps; elsewhere clip(x,
// -alpha, alpha). d y / d alpha is 1 where x >= alpha (eq. 3), -1 where x <= -alpha. alpha begins
// at the largest value of the first batch, or of a whole calibration (the paper: at 10, and relies
// on decay to come down); `weight_decay` is the paper's lambda on it.
std::unique_ptr<Quantizer> make_pact(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
