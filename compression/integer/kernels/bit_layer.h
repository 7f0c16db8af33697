// A layer whose inputs have two neighbouring codes and whose weights are +1 and -1, as in XNOR-Net
// (Rastegari et al. 2016, section 3.2): inputs and weights are bits, and a product of 32 of them is
// an `and` and a count of ones.
//
// With b = x - low in {0, 1} and W the bits of the weights that are +1,
//   sum w (x - z) = (low - z) sum w + sum w b,     sum w b = 2 ones(W and B) - ones(B)
// The first part is in the accumulator's start; ones(B) is the same for all channels of a pixel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/program.h"

namespace pare::integer {

inline constexpr int kBitTaps = 32;  // of an entry

// `bits` taps that are neighbours in the input, from `offset` bytes behind the first tap.
struct BitRun {
  std::int64_t offset, bits;
};

struct BitLayer {
  std::int64_t outputs = 0;
  std::vector<BitRun> runs;
  std::vector<std::int32_t> offsets;     // per entry: bytes behind the pixel's first tap
  AlignedVector<std::uint32_t> weights;  // [panel][entry][16 channels]; bits beyond a run are 0
  LaneConstants lanes;
};

// None where weights or inputs are of another kind, or taps do not start at whole bytes: `runs` are
// in codes, as for pack_layer.
std::optional<BitLayer> pack_bits(const Weights& weights, const Channels& channels,
                                  const WeightLayout& layout, const std::vector<TapRun>& runs,
                                  const Tensor& input, Rounding rounding);

// A bit per code, 1 where it is `low` + 1; eight in a byte, the first one lowest. A last byte is
// filled with zeros.
void codes_to_bits(std::span<const std::int8_t> codes, std::int32_t low, std::uint8_t* bits);

}  // namespace pare::integer
