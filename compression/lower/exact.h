// Exact evaluation of the fake-quant graph: what the training network computes once every value is
// a code.
//
// Walks the network (not the integer program), computes accumulators with float matrix products on
// codes whose zero points are removed - in chunks that are exact below 2^24 - sums them in int32
// and calls the engine's requantize(). verify() compares every tensor with the engine.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compression/lower/final.h"
#include "layers/network.h"

namespace pare {

// Codes of every edge for `images` images, by the edge's name: images * (elements of one image).
using EdgeCodes = std::map<std::string, std::vector<std::int8_t>>;

// input: codes of the network's input.
EdgeCodes evaluate_exactly(const Network& network, const FinalNetwork& final,
                           std::span<const std::int8_t> input);

}  // namespace pare
