// The weights of one layer as generated C stores them: as they are, or as a stream of bits, which
// is smaller where codes have few bits or are often zero.
//
// Weights here are *effective*: the channel's zero point removed and its sign applied, what an
// input is multiplied by. The order is [output channel][tap], also of depthwise layers.
//
// A stream is: the zeros before the first weight that is stored; then, for every weight that is
// stored, its code in code_bits and the zeros behind it. A number of zeros is written in pieces of
// gap_bits: a piece of all ones counts its value and another piece follows, any other ends the
// number. So gap_bits = 0 is plain packing (every weight is stored), 1 a bitmap, and more the
// relative index of Han et al. 2016 ("Deep compression", section 2). Bits fill bytes from the
// lowest. The decoder is the same 30 lines of C for all of them (kernels.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/operations.h"

namespace pare {

struct WeightTable {
  bool plain = true;
  std::vector<std::int32_t> values;  // effective, [outputs][taps]
  // Of a stream:
  int gap_bits = 0;
  int code_bits = 0;
  std::int32_t lowest = 0;           // code 0, where there are no levels
  std::vector<std::int32_t> levels;  // code -> weight
  std::vector<std::uint8_t> stream;

  // Bytes of its tables, where one value takes `value_bytes`.
  std::int64_t bytes(int value_bytes) const;
};

std::vector<std::int32_t> effective_weights(const integer::Weights& weights,
                                            const integer::Channels& channels,
                                            const integer::WeightLayout& layout);

// Whether all of them fit int8. Affine weights may not.
bool fit_int8(const std::vector<std::int32_t>& values);

// The smallest stream, and how it is spelled: "4 bits", "bitmap + 3 bits", "gaps of 4 + 8 bits".
WeightTable smallest_stream(std::vector<std::int32_t> values, int value_bytes);
std::string describe(const WeightTable& table, int value_bytes);

}  // namespace pare
