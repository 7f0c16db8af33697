#include "compression/integer/kernels/packed_layer.h"

#include <algorithm>
#include <limits>

#include "compression/integer/kernels/effective_weights.h"
#include "compression/integer/kernels/small_entries.h"

namespace pare::integer {
namespace {

// A layer's share of a call: which weights, and how its panels are cut.
struct Cut {
  std::int64_t first, outputs;  // channels
  const std::vector<TapRun>& runs;
  std::int32_t panels() const { return static_cast<std::int32_t>((outputs + kPanel - 1) / kPanel); }
};

// The panels of each tile, at most `width`, as even as can be.
std::vector<std::int32_t> tile_sizes(std::int32_t panels, std::int32_t width) {
  std::vector<std::int32_t> sizes;
  const std::int32_t tiles = (panels + width - 1) / width;
  for (std::int32_t t = 0; t < tiles; ++t) {
    sizes.push_back((panels + tiles - t - 1) / (tiles - t));
    panels -= sizes.back();
  }
  return sizes;
}

// For each entry of `taps` taps: whether any weight of the cut's channels [begin, end) is not zero.
std::vector<bool> used_entries(const EffectiveWeights& weight, const Cut& cut, std::int64_t taps,
                               std::int64_t begin, std::int64_t end) {
  std::vector<bool> used;
  for (const TapRun& run : cut.runs) {
    for (std::int64_t at = 0; at < run.length; at += taps) {
      bool any = false;
      for (std::int64_t k = at; k < std::min(at + taps, run.length) && !any; ++k) {
        for (std::int64_t c = begin; c < end && !any; ++c) {
          any = weight(cut.first + c, run.first + k * run.stride) != 0;
        }
      }
      used.push_back(any);
    }
  }
  return used;
}

// How many panels share a tile. An entry of a tile is stored where one of its panels needs it, and
// costs a load per panel and one for the input: wide tiles load inputs seldom, narrow ones skip
// more of a sparse layer. Without zeros the widest is the cheapest.
std::int32_t cheapest_width(const EffectiveWeights& weight, const Cut& cut, std::int32_t widest) {
  std::vector<std::vector<bool>> used;  // [panel][entry]
  for (std::int64_t begin = 0; begin < cut.outputs; begin += kPanel) {
    used.push_back(used_entries(weight, cut, kEntryTaps, begin,
                                std::min<std::int64_t>(begin + kPanel, cut.outputs)));
  }
  std::int32_t best = widest;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::int32_t width = widest; width >= 1; --width) {
    std::int64_t cost = 0;
    std::int32_t panel = 0;
    for (const std::int32_t size : tile_sizes(cut.panels(), width)) {
      for (std::size_t e = 0; e < used[panel].size(); ++e) {
        bool any = false;
        for (std::int32_t p = panel; p < panel + size; ++p) any = any || used[p][e];
        cost += any ? size + 1 : 0;
      }
      panel += size;
    }
    if (cost >= least) continue;
    least = cost;
    best = width;
  }
  return best;
}

// Entries of a narrow tile of the channels of `cut`.
std::int64_t narrow_entries(const EffectiveWeights& weight, const Cut& cut, std::int32_t share) {
  const std::vector<bool> used = used_entries(weight, cut, kEntryTaps * share, 0, cut.outputs);
  return std::count(used.begin(), used.end(), true);
}

// Whether rows of the output are whole groups of so many neighbours, and four taps of each fit 16
// bytes, also where rows are stacked.
bool fit_pixels(const Cut& cut, std::int32_t pixels) {
  const TapRun& run = cut.runs[0];
  const std::int64_t step = run.step * (cut.runs.back().stacked ? kEntryTaps : 1);
  return step > 0 && run.width % pixels == 0 && (pixels - 1) * step + kEntryTaps <= kPanel;
}

// How many lanes each of a layer's last channels gets, all that fill no whole panel, and for what:
// 1 where that is the cheapest. `tile` is told. `best`: the runs of tiles that know stacked ones.
void choose_lanes(const EffectiveWeights& weight, const Cut& last, const std::vector<TapRun>& best,
                  bool neighbours, Tile& tile) {
  if (last.outputs == 0) return;
  const Cut stacked{last.first, last.outputs, best};
  const std::int64_t alone = narrow_entries(weight, stacked, 1);
  std::int64_t least = 4 * alone;  // in quarters of a product for each pixel
  const auto consider = [&](std::int32_t share, bool pixels, std::int64_t cost) {
    if (cost >= least) return;
    least = cost;
    tile.share = share;
    tile.pixels = pixels;
  };
  for (const std::int32_t share : {2, 4}) {
    if (last.outputs > kPanel / share) break;
    consider(share, false, 4 * narrow_entries(weight, last, share));
    // Half as much again for putting the bytes in their lanes.
    if (neighbours && fit_pixels(stacked, share)) consider(share, true, 6 * alone / share);
  }
}

// Whether every weight fits four bits in two's complement.
bool fit_nibbles(const EffectiveWeights& weight, const Cut& cut) {
  for (std::int64_t c = 0; c < cut.outputs; ++c) {
    for (std::int64_t tap = 0; tap < weight.taps(); ++tap) {
      const std::int32_t w = weight(cut.first + c, tap);
      if (w < -8 || w > 7) return false;
    }
  }
  return true;
}

constexpr std::int64_t kBytes = kPanel * kEntryTaps;

// The bytes of a tile's weights as nibbles; an odd last panel has half of its bytes for itself.
void fold_panels(const Tile& tile, AlignedVector<std::int8_t>& weights) {
  std::int64_t to = tile.first_weight;
  for (std::int64_t e = 0; e < tile.entries; ++e) {
    const std::int64_t from = tile.first_weight + e * tile.panels * kBytes;
    for (std::int64_t p = 0; p < tile.panels; p += 2) {
      for (std::int64_t i = 0; i < kBytes; ++i) {  // never ahead of what is still to be read
        const int low = weights[from + p * kBytes + i] & 15;
        const int high = p + 1 < tile.panels ? weights[from + (p + 1) * kBytes + i] & 15 : 0;
        weights[to++] = static_cast<std::int8_t>(low | high << 4);
      }
    }
  }
  weights.resize(to);
}

// The same for a tile of one panel, two entries after another. An odd last one is followed by
// zeros.
void fold_entries(Tile& tile, std::vector<std::int32_t>& offsets,
                  AlignedVector<std::int8_t>& weights) {
  if (tile.entries % 2 != 0) {
    offsets.push_back(offsets.back());
    weights.resize(weights.size() + kBytes);
    ++tile.entries;
  }
  std::int64_t to = tile.first_weight;
  for (std::int64_t e = 0; e < tile.entries; e += 2) {
    const std::int64_t from = tile.first_weight + e * kBytes;
    for (std::int64_t i = 0; i < kBytes; ++i) {
      weights[to++] =
          static_cast<std::int8_t>((weights[from + i] & 15) | weights[from + kBytes + i] << 4);
    }
  }
  weights.resize(to);
}

// The weights of one entry, or of those of columns that stand together, still too wide for int8.
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

// Whether a tile of all channels of `cut` is faster with columns that share inputs: then all three
// entries stand there where one is not zero, and 16 pixels take 8 cycles for each; without sharing
// they take 9, for the loads. Shorter rows have no such 16, unless they are pooled.
bool shares_columns(const EffectiveWeights& weight, const Cut& cut) {
  for (const TapRun& run : cut.runs) {
    if (run.step % kEntryTaps != 0 || run.length != kSharedColumns * run.step) return false;
  }
  const std::vector<bool> used = used_entries(weight, cut, kEntryTaps, 0, cut.outputs);
  std::int64_t alone = 0, together = 0, first = 0;
  for (const TapRun& run : cut.runs) {
    const std::int64_t column = run.length / kSharedColumns / kEntryTaps;  // entries
    for (std::int64_t e = 0; e < column; ++e) {
      std::int64_t any = 0;
      for (int k = 0; k < kSharedColumns; ++k) any += used[first + k * column + e] ? 1 : 0;
      alone += any;
      together += any > 0 ? kSharedColumns : 0;
    }
    first += kSharedColumns * column;
  }
  if (cut.runs[0].width < kPanel) return together > 0 && together == alone;
  return together > 0 && 8 * together <= 9 * alone;
}

void pack_tile(Tile& tile, const EffectiveWeights& weight, std::int64_t first,
               const std::vector<TapRun>& runs, PackedLayer& packed) {
  tile.first_entry = std::ssize(packed.offsets);
  tile.first_weight = std::ssize(packed.weights);
  const std::int64_t taps = tile.entry_taps(), entry = tile.lanes() * taps;
  for (const TapRun& run : runs) {
    const std::int64_t column = run.length / tile.columns;  // taps
    for (std::int64_t at = 0; at < column; at += taps) {
      Wide rest(tile.columns * entry, 0);
      for (std::int64_t j = 0; j < tile.columns; ++j) {
        for (std::int64_t lane = 0; lane < tile.lanes(); ++lane) {
          const std::int64_t c = tile.channel + lane % tile.channels();
          for (std::int64_t k = 0; k < std::min(taps, column - at) && c < packed.outputs; ++k) {
            rest[j * entry + lane * taps + k] =
                weight(first + c, run.first + (j * column + at + k) * run.stride);
          }
        }
      }
      while (take_bytes(rest, packed.weights)) {
        for (std::int64_t j = 0; j < tile.columns; ++j)
          packed.offsets.push_back(static_cast<std::int32_t>(run.offset + j * column + at));
        tile.entries += tile.columns;
        tile.stacked += run.stacked ? tile.columns : 0;
      }
    }
  }
}

// The channels of `cut`, in tiles of panels.
void add_wide_tiles(const EffectiveWeights& weight, const Cut& cut, const Packing& packing,
                    PackedLayer& packed) {
  if (cut.outputs == 0) return;
  const std::int32_t width = cheapest_width(weight, cut, packing.max_panels);
  const bool by_entry = packing.max_panels == 1;
  // A panel alone would fill its bytes by half.
  const bool pairs = by_entry || (width > 1 && cut.panels() > 1);
  packed.nibbles = packing.nibbles && pairs && fit_nibbles(weight, cut);
  std::int32_t panel = 0;
  for (const std::int32_t size : tile_sizes(cut.panels(), width)) {
    Tile& tile = packed.tiles.emplace_back();
    tile.channel = panel * kPanel;
    tile.panels = size;
    if (packing.neighbours && cut.panels() == 1 && shares_columns(weight, cut))
      tile.columns = kSharedColumns;
    pack_tile(tile, weight, cut.first, cut.runs, packed);
    if (packed.nibbles && by_entry) {
      fold_entries(tile, packed.offsets, packed.weights);
    } else if (packed.nibbles) {
      fold_panels(tile, packed.weights);
    } else if (packing.small) {
      put_small_first(tile, packed.offsets, packed.weights);
      packed.words = order_in_pairs(tile, packed.weights) || packed.words;
    }
    panel += size;
  }
}

}  // namespace

PackedLayer pack_layer(const Weights& weights, const Channels& channels, const WeightLayout& layout,
                       std::int64_t first, std::int64_t outputs, const std::vector<TapRun>& runs,
                       std::int32_t input_zero_point, Rounding rounding, const Packing& packing,
                       const std::vector<TapRun>& stacked) {
  const std::vector<TapRun>& best = stacked.empty() ? runs : stacked;
  const EffectiveWeights weight(weights, channels, layout);
  PackedLayer packed;
  packed.outputs = outputs;
  const std::int64_t last = outputs / kPanel * kPanel;
  Tile narrow{.channel = static_cast<std::int32_t>(last), .panels = 1};
  if (packing.narrow)
    choose_lanes(weight, {first + last, outputs - last, runs}, best, packing.neighbours, narrow);
  const std::int32_t share = narrow.share;
  const Cut wide{first, share > 1 ? last : outputs, best};
  add_wide_tiles(weight, wide, packing, packed);
  if (share > 1) {
    packed.tiles.push_back(narrow);
    pack_tile(packed.tiles.back(), weight, first, narrow.pixels ? best : runs, packed);
    if (packing.small) {
      put_small_first(packed.tiles.back(), packed.offsets, packed.weights);
      order_in_pairs(packed.tiles.back(), packed.weights);
    }
  }
  packed.weights.shrink_to_fit();  // it may have grown to twice its size
  packed.lanes = LaneConstants(outputs);
  for (std::int64_t lane = 0; lane < std::ssize(packed.lanes.start); ++lane) {
    const std::int64_t c =
        share > 1 && lane >= last ? last + (lane - last) % (kPanel / share) : lane;
    if (c >= outputs) continue;
    packed.lanes.set(lane, channels, first + c, weight.sum(first + c),
                     input_zero_point + packing.input_offset, rounding);
  }
  return packed;
}

}  // namespace pare::integer
