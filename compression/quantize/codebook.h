// Codebook: each weight is one of a few trained values, found by k-means.
//
// w = s[c] * level[k(w)], s[c] = max |w| of the channel / 127, one table of `levels` integers for
// the tensor (Han et al. 2016, "Deep compression", arXiv:1510.00149, section 3). Levels are the
// centroids of w / s, rounded to int8 in training already; one of them is always 0, for a mask that
// may come.
//
// Centroids are trained by the sums of their members' gradients (train). A member's latent weight
// gets no gradient, as in the paper: its value is its cluster's, so that nothing would answer what
// an optimizer adds up there. Latent weights stay where the table found them, for `reassign` and
// for whatever ranks them.
//
// reassign epoch: a weight lies where its latent weight lies, displaced by what the level of its
// cluster has moved since k-means, and joins another cluster when that one has come nearer; once,
// because then it is at home nowhere. The cluster nearest to the latent weight itself would undo
// what was learned: the table grows in training, and weights would fall from entry to entry.
//
// A weight that is 0 when the table is made, as under a mask, has no cluster. It gets its gradient
// straight through, as a mask in front of it may let pass, and its value is 0 until it is nearer to
// another level; that cluster it joins. Thus come back what pruners regrow.
#pragma once

#include "compression/quantize/quantizer.h"

namespace pare {

std::unique_ptr<Quantizer> make_codebook(const QuantizerConfig& config, QuantizerPlace place);

}  // namespace pare
