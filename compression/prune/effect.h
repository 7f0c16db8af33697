// Effect: what a group of parameters does to the loss, to first order, from gradients.
//
// With a factor z on the output of a structure, dL/dz at z = 1 is the sum of gradient * value over
// the scale and shift of the batch norm behind it, or over weights and bias where none follows
// (Molchanov et al. 2019, arXiv:1906.10771, eq. 8, whose gates stand behind batch norm). In front
// of a batch norm the same sum says nothing: what is normalised by its batch is the same for any
// multiple of the weights, so that sum of gradient * weight = 0 (Euler), whatever the filter does.
#pragma once

#include <string>
#include <vector>

#include "compression/prune/target.h"
#include "layers/network.h"

namespace pare {

// Whether a batch norm takes out again whatever the node's output is multiplied by: all that reads
// it is one, at once or behind nodes that hand channels on (activations, pools, depthwise).
bool is_normalised(const Network& network, const std::string& node);

// Of every group: the sum of d loss / d effective value * latent value over its parts that are
// `in_effect`, signs included. After backward(), where value gradients are kept; a frozen parameter
// has none and adds nothing.
std::vector<float> first_order_effects(const PruneTarget& target);

}  // namespace pare
