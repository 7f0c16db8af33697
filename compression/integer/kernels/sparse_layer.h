// A layer most of whose weights are zero, in runs along the inputs of each output ("1x16" blocks):
// every channel keeps windows of 16 neighbouring taps that hold its weights, and skips the rest.
//
// Kernels take four channels at a time, a *quad*: an entry is a window of each of them, at four
// different places of the input, 64 products in all. Where a channel of a quad has fewer windows
// than another its last ones are empty; so a panel's 16 channels are sorted by their number of
// windows first, and put back in order at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/packed_layer.h"

namespace pare::integer {

inline constexpr int kQuad = 4;
inline constexpr int kWindowTaps = 16;

struct SparseLayer {
  struct Quad {
    std::int64_t first, entries;  // in entries
  };
  std::int64_t outputs = 0;
  std::vector<Quad> quads;             // four for each panel
  std::vector<std::int32_t> offsets;   // [entry][channel]: bytes behind the pixel's first tap
  AlignedVector<std::int8_t> weights;  // [entry][channel][16 taps]
  AlignedVector<std::int32_t> order;   // [panel][channel]: its place among the sorted ones
  LaneConstants lanes;                 // start by place, scalings by channel
};

// What an instruction set takes for a pixel, measured, in cycles: an entry of a quad, the folding
// and sorting of a panel's sums; an entry of a panel of a dense layer.
struct SparseCosts {
  std::int64_t entry = 0, fold = 0, dense = 0;
};

// For an output pixel, in cycles.
std::int64_t sparse_cost(const SparseLayer& layer, const SparseCosts& costs);

// None where the layer in the form `dense`, whose constants it takes, is as cheap. `small`: the
// products of two neighbouring taps of a window fit 16 bits (kSmallPair).
std::optional<SparseLayer> pack_sparse(const Weights& weights, const Channels& channels,
                                       const WeightLayout& layout, const std::vector<TapRun>& runs,
                                       const PackedLayer& dense, const SparseCosts& costs,
                                       bool small);

}  // namespace pare::integer
