// Codebook: each weight is one of a few trained values, found by k-means.
#pragma once

#include <span>

#include "compression/quantize/quantizer.h"
#include "framework/random.h"

namespace pare {

// w = s[c] * level[k(w)], s[c] = max |w| of the channel / 127, one table of `levels` integers for
// the tensor (Han et al. 2016, "Deep compression", arXiv:1510.00149, section 3). Lloyd's iterations
// on w / s begin at values spread over the range (linear), over the sorted weights (density), or at
// weights drawn at random. One level is 0, always, for a mask that may come. Centroids are trained
// by the sum of their members' gradients (train); which weight belongs to which stays, or is found
// anew every epoch (reassign). Levels are the centroids rounded to int8, in training already.
std::unique_ptr<Quantizer> make_codebook(const QuantizerConfig& config, QuantizerPlace place);

// Centroids in [-1, 1] of values in [-1, 1], ascending, one of them 0. `count` >= 2. `random` draws
// for CodebookInit::random alone.
std::vector<double> cluster(std::vector<float> values, int count, CodebookInit init, Random random);

}  // namespace pare
