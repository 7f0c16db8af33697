// Ternary weights: a sign or nothing.
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// alpha * {-1, 0, 1} with the threshold 0.7 mean |w|, alpha the mean |w| of what lies above it, per
// channel (Li et al. 2016, "Ternary weight networks", arXiv:1605.04711, eq. 5 and 6); the gradient
// is dy. Weights that are 0 (pruned) count for neither. scale one: alpha = 1.
std::unique_ptr<Quantizer> make_ternary(const QuantizerConfig& config, QuantizerPlace place);

// {-Wn, 0, Wp} with the threshold 0.05 max |w|, both scales learned, one pair for the tensor (Zhu
// et al. 2016, "Trained ternary quantization", arXiv:1612.01064, eq. 6 to 8): dWp is the sum of dy
// over the positive weights, dWn minus that over the negative ones, a latent weight's gradient is
// dy times its own scale, or dy at zero. On integers: the larger scale is 127 steps, the other one
// rounded to a whole number of them, in training already.
std::unique_ptr<Quantizer> make_ttq(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
