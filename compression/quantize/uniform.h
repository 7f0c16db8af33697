// The uniform quantizer: equal steps between the ends of an observed range (documents 000 and 001;
// Jacob et al. 2018).
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

std::unique_ptr<Quantizer> make_uniform(const QuantizerConfig& config, QuantizerPlace place);

// The range of `quantizer` is that of the weights other than 0 from now on. Only the percentile of
// a uniform quantizer can tell: other ranges include 0, which is on every grid, and are the same
// with zeros and without.
void leave_zeros_out(Quantizer& quantizer);

}  // namespace pare
