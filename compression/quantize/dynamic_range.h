// Dynamic quantization of activations: every image's own range, found at run time.
//
// s = (max - min) / (2^b - 1) of the image, affine, 0 always in the range. There is nothing to
// calibrate and no grid that an integer program could be made for; the gradient passes everywhere,
// since nothing is clipped.
#pragma once

#include <memory>

#include "compression/quantize/quantizer.h"

namespace pare {

std::unique_ptr<Quantizer> make_dynamic_range(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
