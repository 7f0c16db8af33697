// Shrinking: a network without the channels that do nothing.
//
// A unit of channels (channels.h) can go where all that makes it is masked, so that it is exactly
// zero, or where all weights that read it are masked. What is left of weights, biases, batch norms,
// masks and quantizers is copied; quantized zero is the zero point, which contributes nothing, so
// the rest computes what it did.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/channels.h"
#include "layers/network.h"

namespace pare {

// For every space of Channels, for every unit: 1 stays, 0 goes.
using KeptUnits = std::vector<std::vector<std::uint8_t>>;

struct Shrinkable {
  KeptUnits kept;
  std::int64_t removed = 0;        // units
  std::vector<std::string> whole;  // spaces that stay whole although some units could go, and why
};

// At least one unit of every space stays, all of those that are the network's input or output, and
// all that a grouped convolution makes or reads.
Shrinkable find_shrinkable(const Network& network);

// The network with only these units; all that `visit_state` names comes along.
Network without_units(Network& network, const KeptUnits& kept);

}  // namespace pare
