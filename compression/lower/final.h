// Final grids: what a trained network is made of in integers. Made once, before the exact
// evaluation and lower() read them, from the quantizers in the network; nothing is re-observed.
//
// Batch norm is absorbed (docs/arithmetic.md): a = scale / sqrt(variance + epsilon) multiplies the
// weight scale of its channel, the rest goes into the bias, and a negative a sets the channel's
// sign.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compression/integer/program.h"
#include "layers/network.h"

namespace pare {

// The grid of one edge and the range of codes that its producer can put there.
struct FinalEdge {
  float scale = 1;
  std::int32_t zero_point = 0;
  std::int32_t code_min = -128, code_max = 127;
  // real = (code - zero_point) * scale + offset; not 0 for signs, which layers with weights read.
  float offset = 0;
};

// A group with weights, or a batch norm or a relu on its own (a depthwise 1x1 of weight code 1).
struct FinalWeights {
  integer::Weights weights;  // scales: the effective ones, batch norm included
  integer::Channels channels;
};

struct FinalAdd {
  integer::Multiplier a, b, output;
};

struct FinalNetwork {
  integer::Rounding rounding = integer::Rounding::twice;
  std::map<std::string, FinalEdge> edges;            // by edge_of()
  std::map<std::string, FinalWeights> weights;       // by the group's head
  std::map<std::string, FinalAdd> adds;              // likewise
  std::map<std::string, integer::Multiplier> means;  // global average, likewise
  std::int64_t raised_channels = 0;  // channels whose scale had to be raised so that the bias fits
  std::int64_t raised_edges = 0;     // edges whose scale had to be raised so that multipliers fit
};

// Throws ConfigError that names the node and what to do where a network cannot become integers: an
// edge without a grid, weights without one, a layer without an integer form, a multiplier out of
// range.
FinalNetwork make_final(const Network& network, integer::Rounding rounding);

}  // namespace pare
