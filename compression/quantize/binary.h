// Binary weights: one sign a weight.
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// sign(w) * alpha, sign(0) = 1. scale float: alpha = mean |w| of the channel, gradient dy * (1 / n
// + alpha 1[|w| <= 1]) (Rastegari et al. 2016, "XNOR-Net", arXiv:1603.05279, sections 3.1, 3.2).
// scale one: alpha = 1, gradient dy where |w| <= 1 (Courbariaux et al. 2015, "BinaryConnect",
// arXiv:1511.00363); clip_latent 1 belongs to it. 0 is no level: nothing may be pruned.
std::unique_ptr<Quantizer> make_binary(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
