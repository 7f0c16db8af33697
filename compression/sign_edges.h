// Where the signs of activations may stand (quantizer binary): on an edge whose values have both
// signs, and that is read by layers with weights alone, without padding. Two levels that are not 0
// are no grid for a sum, an average or a padded 0.
#pragma once

#include <string>

#include "layers/network.h"

namespace pare {

// Why the edge that leaves `tail` (the last node of a group, before quantizers are attached) cannot
// carry signs, and what to do; "" where it can.
std::string sign_fault(const Network& network, const std::string& tail);

}  // namespace pare
