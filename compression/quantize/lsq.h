// LSQ: the step is learned by gradient descent (Esser et al. 2020, "Learned step size
// quantization", arXiv:1902.08153).
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// code = round(clip(x / s, -Qn, Qp)). Weights: Qn = 2^(b-1), Qp = 2^(b-1) - 1 (Qn one less at 8
// bits: never -128). Activations of scheme affine: 0 .. 2^b - 1. The step's gradient (eq. 3) is
// scaled by 1 / sqrt(N Qp), N the weights, or features of an activation, that share it (section
// 2.2); it begins at 2 mean|x| / sqrt(Qp) (section 2.1) of the first tensor that it sees, or of a
// whole calibration. Of weights the mean is that of those other than 0: the zeros of a mask, which
// the paper has none of, would make the step of 90 % pruned weights ten times too small. Zeros of
// activations are what a relu gives, which the paper's rule counts.
std::unique_ptr<Quantizer> make_lsq(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
