// Levels that are powers of two, or sums of some.
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

// log2: 0 and +-top / base^i, i = 0 .. 2^(b-1) - 2, with the exponent rounded to nearest and top
// the largest |w| of the channel (Miyashita et al. 2016, arXiv:1603.01025, section 3.2). base 2:
// the integers 1, 2, 4, .., so that a product is a shift. base sqrt2: 127 / sqrt(2)^i, rounded.
std::unique_ptr<Quantizer> make_log2(const QuantizerConfig& config, QuantizerPlace place);

// APoT: alpha times sums of a few powers of two, rounded to the nearest level; alpha clips and is
// learned (Li et al. 2020, "Additive powers-of-two quantization", arXiv:1909.13144, eq. 5, 6 and
// 9). It begins at three standard deviations of the weights other than 0, since a mask's zeros say
// nothing of how far the others reach; the weights themselves are not normalised, so that pruned
// ones stay 0 and layers keep their size.
std::unique_ptr<Quantizer> make_apot(const QuantizerConfig& config, QuantizerPlace place);

// The magnitudes above 0, ascending, of b bits with sign: terms of two bits {0, 2^-i, 2^-(i+n),
// 2^-(i+2n)}, and one of one bit where b is even.
std::vector<std::int16_t> apot_magnitudes(int bits);
std::vector<std::int16_t> log2_magnitudes(int bits, bool root);

}  // namespace pare
