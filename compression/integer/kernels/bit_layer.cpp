#include "compression/integer/kernels/bit_layer.h"

#include <bit>
#include <cstring>

#include "compression/integer/kernels/effective_weights.h"

namespace pare::integer {
namespace {

static_assert(std::endian::native == std::endian::little);

bool are_signs(const EffectiveWeights& weight, std::int64_t outputs) {
  for (std::int64_t c = 0; c < outputs; ++c) {
    for (std::int64_t tap = 0; tap < weight.taps(); ++tap) {
      const std::int32_t w = weight(c, tap);
      if (w != 1 && w != -1) return false;
    }
  }
  return true;
}

// The bits of 32 taps from `tap` on, as many as there are before `end`.
std::uint32_t sign_bits(const EffectiveWeights& weight, std::int64_t channel, std::int64_t tap,
                        std::int64_t end) {
  std::uint32_t bits = 0;
  for (std::int64_t k = 0; k < kBitTaps && tap + k < end; ++k) {
    bits |= (weight(channel, tap + k) > 0 ? 1u : 0u) << k;
  }
  return bits;
}

void pack_weights(BitLayer& packed, const EffectiveWeights& weight,
                  const std::vector<TapRun>& runs) {
  const std::int64_t panels = (packed.outputs + kPanel - 1) / kPanel;
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    for (const TapRun& run : runs) {
      for (std::int64_t at = 0; at < run.length; at += kBitTaps) {
        if (panel == 0) packed.offsets.push_back(static_cast<std::int32_t>((run.offset + at) / 8));
        for (std::int64_t c = panel * kPanel; c < (panel + 1) * kPanel; ++c) {
          packed.weights.push_back(
              c < packed.outputs ? sign_bits(weight, c, run.first + at, run.first + run.length)
                                 : 0);
        }
      }
    }
  }
}

}  // namespace

std::optional<BitLayer> pack_bits(const Weights& weights, const Channels& channels,
                                  const WeightLayout& layout, const std::vector<TapRun>& runs,
                                  const Tensor& input, Rounding rounding) {
  if (input.code_max != input.code_min + 1) return std::nullopt;
  for (const TapRun& run : runs) {
    if (run.offset % 8 != 0) return std::nullopt;
  }
  const EffectiveWeights weight(weights, channels, layout);
  if (!are_signs(weight, layout.outputs)) return std::nullopt;
  BitLayer packed;
  packed.outputs = layout.outputs;
  for (const TapRun& run : runs) packed.runs.push_back({run.offset / 8, run.length});
  pack_weights(packed, weight, runs);
  packed.lanes = LaneConstants(layout.outputs);
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    packed.lanes.set(c, channels, c, weight.sum(c), input.zero_point - input.code_min, rounding);
  }
  return packed;
}

// Eight codes at a time: their lowest bits, b_i at bit 8 i of a word, are moved to bit 56 + i by a
// product (8 i + 7 (8 - i) = 56 + i) whose other terms fall below bit 56 or out of the word.
void codes_to_bits(std::span<const std::int8_t> codes, std::int32_t low, std::uint8_t* bits) {
  const std::uint64_t flip = (low & 1) != 0 ? 0x0101010101010101 : 0;
  const auto pack = [flip](std::uint64_t word) {
    return static_cast<std::uint8_t>(((word ^ flip) & 0x0101010101010101) * 0x0102040810204080 >>
                                     56);
  };
  std::size_t i = 0;
  std::uint64_t word = 0;
  for (; i + sizeof word <= codes.size(); i += sizeof word) {
    std::memcpy(&word, codes.data() + i, sizeof word);
    *bits++ = pack(word);
  }
  if (i == codes.size()) return;
  word = flip;  // zeros behind the end
  std::memcpy(&word, codes.data() + i, codes.size() - i);
  *bits = pack(word);
}

}  // namespace pare::integer
