// The weights of a convolution or dense layer as the kernels read them: 16 output channels side by
// side, four taps of each, in the order in which a kernel wants them.
//
// A kernel computes, for every output pixel, sums over *entries*. An entry is four bytes of the
// input at a fixed distance from the pixel's first tap (four neighbours in memory: pixels lie
// channel by channel, so the columns of one kernel row run into each other), times the weights of
// these four taps for up to four panels of 16 channels. An entry whose weights are all zero is left
// out. Weights are int8: where a zero point or sign takes one beyond +-127, the rest goes into
// one or two more entries at the same place.
//
// Neighbouring output pixels of a 3 x 3 convolution of stride 1 read most of each other's inputs.
// Where loads of inputs would be the bound, in layers of one panel, the entries of the three
// columns of a kernel row stand together, so that an input is loaded once for three pixels.
//
// The last channels of a layer, where they would fill at most half of a panel (or all of them, in a
// layer that pruning left with few), are a *narrow* tile: 2 or 4 lanes for each channel, and
// entries of 8 or 16 bytes. Where the taps of neighbouring pixels fit 16 bytes, as
// those of an image of one channel, the lanes may be 2 or 4 pixels, and entries are of four bytes.
//
// Where a kernel row is one tap longer than whole entries, as the five of an image of one channel,
// the last taps of four rows are an entry, if the image is *stacked* too: behind it lie, for each
// of its bytes, that byte and those of the three rows below.
//
// Where a layer's weights fit four bits (4-, 3-, 2-bit, ternary and binary ones), two panels share
// 64 bytes, or two entries of a panel where tiles have one: the even one in the low halves, the odd
// one in the high halves, in two's complement. The kernels unpack them in registers, so that half
// as many bytes stand in memory and come out of it.
//
// AVX2 has no product of bytes but one that adds those of two neighbouring taps in 16 bits, where
// they may not fit. It is used for the entries whose weights are small enough; they come first, and
// those that are so small that the products of several entries fit 16 bits come before the others.
// The weights of the rest lie [half of the lanes][pair of taps][lane][tap], as instructions want
// them that multiply pairs of words.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/lane_constants.h"
#include "compression/integer/operations.h"

namespace pare::integer {

inline constexpr int kEntryTaps = 4;
inline constexpr int kSharedColumns = 3;

// How many entries are added up in 16 bits, in the order in which they stand in a tile.
inline constexpr std::array<int, 4> kSmallGroups = {8, 4, 2, 1};
// The most that the absolute weights of two neighbouring taps may come to in all entries of such a
// group: 255 * 128 fits 16 bits with a sign.
inline constexpr int kSmallPair = 128;

// `length` taps that are neighbours both in the input (from `offset` bytes behind the first tap)
// and among the weights of a channel (from index `first`).
struct TapRun {
  std::int64_t offset, first, length;
  // From an output pixel to its right neighbour, and how many there are in a row; 0: not known.
  std::int64_t step = 0, width = 0;
  // Of taps that lie one below the other: the distance between their weights, and that they are
  // read from the stacked image: `offset` bytes behind four times the place of the pixel's first
  // tap.
  std::int64_t stride = 1;
  bool stacked = false;
};

// Up to four panels that share their entries. weights[entry][panel][channel][tap], with 16 / share
// channels and 4 * share taps, or weights[entry][pixel][channel][tap] with `share` pixels.
struct Tile {
  std::int32_t channel = 0;  // the first one, counted inside the layer
  std::int32_t panels = 0;
  std::int32_t share = 1;  // lanes of a channel; 2 or 4 in a narrow tile, of one panel
  bool pixels = false;     // these are of neighbouring pixels, not of taps
  std::int32_t columns = 1;  // kSharedColumns: each three entries are those of three columns
  std::int64_t entries =
      0;  // in nibbles of one panel an even number; the last one may be all zeros
  std::int64_t stacked = 0;       // of the entries, the last ones: of stacked rows
  std::int64_t first_entry = 0;   // in offsets
  std::int64_t first_weight = 0;  // in weights
  std::array<std::int64_t, kSmallGroups.size()> small{};  // of the entries, in groups of that many
  std::int32_t channels() const { return panels * kPanel / share; }
  std::int32_t lanes() const { return pixels ? kPanel : channels(); }  // with weights of their own
  std::int32_t entry_taps() const { return kEntryTaps * (pixels ? 1 : share); }
  std::int64_t small_entries() const {
    return std::accumulate(small.begin(), small.end(), std::int64_t{0});
  }
};

struct PackedLayer {
  std::int64_t outputs = 0;
  bool nibbles = false;  // four bits a weight
  bool words = false;    // some entries, not only of narrow tiles, are multiplied as words
  std::vector<Tile> tiles;
  std::vector<std::int32_t> offsets;  // per entry, as those of runs
  AlignedVector<std::int8_t> weights;
  LaneConstants lanes;  // a narrow tile's channels stand there `share` times, one after another
};

// What a kernel's inputs look like: input byte = code + input_offset; at most max_panels in a tile;
// whether it unpacks weights of four bits; whether it has narrow tiles, wants small entries first,
// and treats pixels together that are neighbours.
struct Packing {
  std::int32_t input_offset;
  std::int32_t max_panels;
  bool nibbles;
  bool narrow = false;
  bool small = false;
  bool neighbours = false;
};

// The output channels [first, first + outputs) of a layer whose channels are contiguous in memory.
// `stacked`: what stack_rows made of `runs`, for the tiles that know it; empty: nothing.
PackedLayer pack_layer(const Weights& weights, const Channels& channels, const WeightLayout& layout,
                       std::int64_t first, std::int64_t outputs, const std::vector<TapRun>& runs,
                       std::int32_t input_zero_point, Rounding rounding, const Packing& packing,
                       const std::vector<TapRun>& stacked = {});

}  // namespace pare::integer
