// Batch norms folded into the weights in front of them: w a, b = shift + a (b - mean), with a =
// scale / sqrt(variance + epsilon) (Jacob et al. 2018, arXiv:1712.05877, section 3.2, with the
// running statistics, once).
//
// A batch norm that no convolution or dense node stands in front of stays. Training goes on without
// statistics, and a grid is made of the weights that the integers really have, channel by channel
// as wide as their batch norm made them.
#pragma once

#include "layers/network.h"

namespace pare {

// The same function of evaluation, up to rounding. Throws ConfigError: a batch norm or bias with a
// transform (a mask of structures, a quantizer), weights with a quantizer.
Network fold_batch_norms(Network& network);

}  // namespace pare
