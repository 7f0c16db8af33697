// dns: dynamic network surgery (Guo et al. 2016, arXiv:1608.04493, eq. 3 and 4). All latent weights
// go on training with the gradient of the effective ones; below low * threshold a weight is masked,
// from high * threshold on it comes back, between them it stays what it is.
//
// The threshold of a layer is what the sparsity asked for makes it (the quantile of |w|), a number,
// a factor on mean |w|, or mean + c * standard deviation of |w|. With a sparsity the last change
// leaves exactly that many weights.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow splicing_row();

}  // namespace pare
