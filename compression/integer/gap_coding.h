// The two codings of model.pare that store gaps between weights: relative index and Huffman.
//
// Both see the codes as entries (gap, code): so many zeros, then a code. A gap has g bits; where
// more zeros follow each other than it can say, or at the end, the code of an entry is a zero
// itself. relative_index writes gaps with g and codes with `bits` bits (Han et al. 2016, "Deep
// Compression", section 2); huffman writes both with Huffman codes of their own (section 4). The
// writer takes the g that is smallest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/operations.h"

namespace pare::integer {

// A gap of 6 bits and a code of at least one bit each: a byte holds at most 256 codes.
inline constexpr int kMostGapBits = 6;

std::vector<std::byte> encode_relative_index(const Weights& weights, const WeightLayout& layout);
std::vector<std::byte> encode_huffman(const Weights& weights, const WeightLayout& layout);

// As decode_codes.
void decode_relative_index(std::span<const std::byte> bytes, const WeightLayout& layout,
                           const std::string& what, Weights& weights);
void decode_huffman(std::span<const std::byte> bytes, const WeightLayout& layout,
                    const std::string& what, Weights& weights);

}  // namespace pare::integer
