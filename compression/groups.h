// Groups: which nodes of a network become one integer operation, and which edges own a grid.
//
// A group is convolution, depthwise or dense, or add, or global average, then batch_norm (not
// behind add and average), then relu or relu6, each read by the next one only. It owns one grid, on
// the edge that leaves it; nothing is quantized inside it. A batch_norm that no group takes in
// starts one of its own, and so does a relu on an edge that has other readers or a relu already:
// the sums of a residual path may then have 8 bits where the convolution behind the relu reads 4.
// Max pooling, average pooling, flatten and dropout share their input's grid, and so does a relu
// behind them that alone reads an edge without one, where a grid of its own would only round once
// more. Nodes that compression inserted (fake_quant, average_codes) belong to their edge.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "layers/network.h"

namespace pare {

struct Group {
  std::string head;
  std::string batch_norm;  // "" where there is none; equal to head where it starts the group
  std::string activation;  // relu or relu6, or ""; equal to head where it starts the group
  const std::string& tail() const {
    return !activation.empty() ? activation : !batch_norm.empty() ? batch_norm : head;
  }
};

// In the order of the network's nodes.
std::vector<Group> find_groups(const Network& network);

// The edge that a node's output is, in the integer program: fake_quant, average_codes and dropout
// have no edge of their own and answer with their input's; every other node (and "input") with its
// own name.
std::string edge_of(const Network& network, std::string_view node);

// The node, behind `node`, that observes and quantizes the edge leaving it; null where there is
// none.
const class ActivationQuantizer* edge_quantizer(const Network& network, std::string_view node);

// The quantizer whose grid the edge carries: the edge's own, or the one of the input that it
// shares; null where none.
const class ActivationQuantizer* grid_source(const Network& network, std::string_view node);

}  // namespace pare
