#include "compression/integer/kernels/packed_layer.h"

#include <algorithm>
#include <array>

namespace pare::integer {
namespace {

// Weights with zero point removed and sign applied, in -255 .. 255.
class EffectiveWeights {
 public:
  EffectiveWeights(const Weights& weights, const Channels& channels, const WeightLayout& layout)
      : weights_(weights), channels_(channels), taps_(layout.taps) {}

  std::int32_t operator()(std::int64_t channel, std::int64_t tap) const {
    const std::int32_t d = weights_.codes[channel * taps_ + tap] - zero_point(weights_, channel);
    return !channels_.negate.empty() && channels_.negate[channel] != 0 ? -d : d;
  }
  std::int64_t sum(std::int64_t channel) const {
    std::int64_t sum = 0;
    for (std::int64_t tap = 0; tap < taps_; ++tap) sum += (*this)(channel, tap);
    return sum;
  }

 private:
  const Weights& weights_;
  const Channels& channels_;
  std::int64_t taps_;
};

// The weights of one entry, still too wide for int8.
using Wide = std::vector<std::int32_t>;

// Moves what fits int8 from `rest` to the end of `packed`; false where nothing was left.
bool take_bytes(Wide& rest, AlignedVector<std::int8_t>& packed) {
  if (std::all_of(rest.begin(), rest.end(), [](std::int32_t d) { return d == 0; })) return false;
  for (std::int32_t& d : rest) {
    const std::int32_t byte = std::clamp(d, -127, 127);
    packed.push_back(static_cast<std::int8_t>(byte));
    d -= byte;
  }
  return true;
}

void pack_tile(Tile& tile, const EffectiveWeights& weight, std::int64_t first,
               const std::vector<TapRun>& runs, PackedLayer& packed) {
  tile.first_entry = std::ssize(packed.offsets);
  tile.first_weight = std::ssize(packed.weights);
  const std::int64_t channels = std::int64_t{tile.panels} * kPanel;
  for (const TapRun& run : runs) {
    for (std::int64_t at = 0; at < run.length; at += kEntryTaps) {
      Wide rest(channels * kEntryTaps, 0);
      for (std::int64_t c = 0; c < std::min(channels, packed.outputs - tile.channel); ++c) {
        for (std::int64_t k = 0; k < std::min<std::int64_t>(kEntryTaps, run.length - at); ++k) {
          rest[c * kEntryTaps + k] = weight(first + tile.channel + c, run.first + at + k);
        }
      }
      while (take_bytes(rest, packed.weights)) {
        packed.offsets.push_back(static_cast<std::int32_t>(run.offset + at));
        ++tile.entries;
      }
    }
  }
}

}  // namespace

PackedLayer pack_layer(const Weights& weights, const Channels& channels, const WeightLayout& layout,
                       std::int64_t first, std::int64_t outputs, const std::vector<TapRun>& runs,
                       std::int32_t input_zero_point, Rounding rounding, const Packing& packing) {
  const EffectiveWeights weight(weights, channels, layout);
  PackedLayer packed;
  packed.outputs = outputs;
  const auto panels = static_cast<std::int32_t>((outputs + kPanel - 1) / kPanel);
  const std::int32_t tiles = (panels + packing.max_panels - 1) / packing.max_panels;
  for (std::int32_t t = 0, panel = 0; t < tiles; ++t) {
    Tile& tile = packed.tiles.emplace_back();
    tile.channel = panel * kPanel;
    tile.panels = (panels - panel + tiles - t - 1) / (tiles - t);
    pack_tile(tile, weight, first, runs, packed);
    panel += tile.panels;
  }
  packed.start.assign(panels * kPanel, 0);
  packed.scalings.resize(panels);
  for (std::int64_t c = 0; c < panels * kPanel; ++c) {
    Multiplier multiplier;  // of the channels that pad the last panel: 0
    if (c < outputs) {
      // The sum of (byte - (zero point + offset)) * weight, as sum of byte * weight from here on.
      // Modulo 2^32, like the kernels' sums; the final one fits int32.
      const std::int64_t shared = weight.sum(first + c) * (input_zero_point + packing.input_offset);
      packed.start[c] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(channels.bias[first + c]) -
                                    static_cast<std::uint32_t>(shared));
      multiplier = channels.multipliers[first + c];
    }
    packed.scalings[c / kPanel].set(static_cast<int>(c % kPanel),
                                    make_scaling(multiplier, rounding));
  }
  return packed;
}

}  // namespace pare::integer
