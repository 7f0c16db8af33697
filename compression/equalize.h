// Cross-layer equalization: the same function from weights whose channels are alike.
#pragma once

#include "layers/network.h"

namespace pare {

// For neighbouring layers with nothing but max and average pooling, flatten, dropout and relu
// between them, output channel i of the first is divided by s_i and what reads it is multiplied by
// s_i = sqrt(r1_i / r2_i), r the largest magnitude of the channel on either side, of what masks
// leave; several times over the network, until no s_i moves (Nagel et al. 2019, "Data-free
// quantization through weight equalization and bias correction", arXiv:1906.04721, section 4.1).
// Behind a batch norm its scale and shift are divided, and count into r1. relu6 is not homogeneous:
// such a pair is left alone.
// Returns how many pairs there are.
int equalize(Network& network);

}  // namespace pare
