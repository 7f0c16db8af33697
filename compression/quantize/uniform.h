// The uniform quantizer: equal steps between the ends of an observed range (documents 000 and 001;
// Jacob et al. 2018).
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

std::unique_ptr<Quantizer> make_uniform(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
