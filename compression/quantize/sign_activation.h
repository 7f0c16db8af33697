// The sign of activations (Rastegari et al. 2016, "XNOR-Net", arXiv:1603.05279, section 3.2).
//
// y = alpha sign(x), sign(0) = 1, alpha the mean of |x|: a moving average over batches (decay 0.99;
// in a calibration of all of them alike) in the place of the paper's K, which has a value for every
// position. dx = alpha dy where |x| <= 1. Two codes at the top of int8 whose zero point stands for
// -alpha: the grid's offset, which lowering moves into biases.
#pragma once

#include <memory>

#include "compression/quantize/quantizer.h"

namespace pare {

std::unique_ptr<Quantizer> make_sign_activation(const QuantizerConfig& config,
                                                QuantizerPlace place);

}  // namespace pare
