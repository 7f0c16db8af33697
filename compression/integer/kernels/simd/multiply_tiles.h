// The loops that all instruction sets share, written on what one of them provides. Include this
// *behind* the pragma that selects the instruction set: functions take the target that is in force
// where they are written.
//
// An instruction set is a struct `Isa` with
//
// clang-format off
//   kInputOffset       what is added to a code to make a byte of the image
//   kMaxPanels         of 16 channels, that share a tile
//   rows(panels)       output pixels at a time: as many as its registers hold
//   Sum                16 int32 accumulators: zero, load, add, max
//   Input              four bytes of the image for all channels: broadcast
//   Weights            four int8 for each of 16 channels: load_weights
//   dot(sum, x, w)     adds four products to each accumulator
//   AnyScaling, ...    sums to codes without the zero point (scaling_forms.h)
//   store              clamps and stores the first `used` of 16 codes
//   kSumRegisters      of a Sum
//   unpack             optional: 64 bytes of nibbles into the Weights of two panels, or of two entries
//                      where kMaxPanels is 1
//   widen, fill, shift_left, multiply   for elementwise_loops.h; optional: PairAdder
//   kRunPixels         optional: pixel_runs.h
//   store_four         optional: four times `store`, `stride` codes apart
// clang-format on
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/narrow_tiles.h"
#include "compression/integer/kernels/simd/pixel_lanes.h"
#include "compression/integer/kernels/simd/pixel_runs.h"
#include "compression/integer/kernels/simd/row_blocks.h"
#include "compression/integer/kernels/simd/scaling_forms.h"
#include "compression/integer/kernels/simd/small_products.h"
#include "compression/integer/kernels/simd/tile_job.h"
#include "compression/integer/kernels/simd/word_products.h"

namespace pare::integer {

template <class Isa, int kRows, int kPanels>
using Sums = typename Isa::Sum[kRows][kPanels];

template <class Isa>
inline constexpr bool UnpacksNibbles = requires(const std::int8_t* p, typename Isa::Weights& w) {
  Isa::unpack(p, w, w);
};

// Entries whose weights are loaded together: two where the tiles of nibbles have one panel.
template <class Isa, bool kNibbles>
inline constexpr int kTogether = kNibbles&& Isa::kMaxPanels == 1 ? 2 : 1;

// Of all panels of these entries.
template <int kPanels, bool kNibbles>
inline constexpr std::int64_t kLoadBytes =
    std::int64_t{kNibbles ? (kPanels + 1) / 2 : kPanels} * kPanel* kEntryTaps;

template <class Isa, int kPanels, bool kNibbles>
[[gnu::always_inline]] inline void load_panels(const std::int8_t* weights,
                                               typename Isa::Weights (&w)[kPanels]) {
  if constexpr (kNibbles) {
    typename Isa::Weights nobody;
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p += 2) {
      Isa::unpack(weights + p / 2 * kPanel * kEntryTaps, w[p], p + 1 < kPanels ? w[p + 1] : nobody);
    }
  } else {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) w[p] = Isa::load_weights(weights + p * kPanel * kEntryTaps);
  }
}

// Few accumulators wait for one another: then even and odd entries get their own.
template <class Isa, int kRows, int kPanels>
inline constexpr int kChains = kRows* kPanels* Isa::kSumRegisters >= 8   ? 1
                               : kRows* kPanels* Isa::kSumRegisters >= 4 ? 2
                                                                         : 4;

// The entries of one load of weights.
template <class Isa, int kRows, int kPanels, bool kNibbles>
[[gnu::always_inline]] inline void add_load(const std::uint8_t* const (&x)[kRows],
                                            const std::int32_t* offset, const std::int8_t* weights,
                                            Sums<Isa, kRows, kPanels>& sums) {
  constexpr int kEntries = kTogether<Isa, kNibbles>;
  typename Isa::Weights w[std::max(kEntries, kPanels)];
  load_panels<Isa, std::max(kEntries, kPanels), kNibbles>(weights, w);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int e = 0; e < kEntries; ++e) {
      const typename Isa::Input input = Isa::broadcast(x[r] + offset[e]);
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) sums[r][p] = Isa::dot(sums[r][p], input, w[e + p]);
    }
  }
}

// The stacked entries of a tile, or all others.
template <class Isa, int kRows, int kPanels, bool kNibbles, bool kStacked, int kSplit, class Scale>
[[gnu::always_inline]] inline void add_entries(const std::uint8_t* const (&x)[kRows],
                                               const TileJob<Isa, Scale, kPanels>& t,
                                               Sums<Isa, kRows, kPanels> (&sums)[kSplit]) {
  const std::int64_t before = kStacked ? t.entries : 0;
  const std::int8_t* w = t.weights + before * kLoadBytes<kPanels, kNibbles>;
  const std::int32_t* offset = t.offsets + before;
  const std::int32_t* const end = offset + (kStacked ? t.stacked : t.entries);
  if constexpr (AddsSmallProducts<Isa>) {
    add_small_entries<Isa, 1, kRows, kNibbles>(x, t.tile, offset, w, sums[0]);
  }
  if constexpr (MultipliesWords<Isa>) {
    add_word_entries<Isa>(x, t.job, offset, end, w, sums[0]);
  } else if constexpr (!AddsSmallProducts<Isa> || !kNibbles) {  // nibbles are always small
    constexpr int kEntries = kTogether<Isa, kNibbles>;
    constexpr std::int64_t kStep = kLoadBytes<kPanels, kNibbles>;
    for (; end - offset >= kSplit * kEntries; offset += kSplit * kEntries, w += kSplit * kStep) {
#pragma GCC unroll 4
      for (int s = 0; s < kSplit; ++s) {
        add_load<Isa, kRows, kPanels, kNibbles>(x, offset + s * kEntries, w + s * kStep, sums[s]);
      }
    }
    if constexpr (kSplit > 1) {
      for (; offset != end; offset += kEntries, w += kStep) {
        add_load<Isa, kRows, kPanels, kNibbles>(x, offset, w, sums[0]);
      }
    }
  }
}

template <class Isa, int kRows, int kPanels, int kPooled, bool kNibbles, class Scale>
[[gnu::always_inline]] inline void multiply_rows(const TileJob<Isa, Scale, kPanels>& t,
                                                 std::int64_t first) {
  constexpr int kSplit = kChains<Isa, kRows, kPanels>;
  const std::uint8_t* x[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) x[r] = t.taps(first + r);
  Sums<Isa, kRows, kPanels> sums[kSplit];
#pragma GCC unroll 4
  for (int s = 0; s < kSplit; ++s) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) {
        sums[s][r][p] = s == 0 ? Isa::load(t.starts + p * kPanel) : Isa::zero();
      }
    }
  }
  add_entries<Isa, kRows, kPanels, kNibbles, false>(x, t, sums);
  if constexpr (RunsPixels<Isa>) {
    if (t.stacked > 0) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) x[r] = t.stacked_taps(first + r);
      add_entries<Isa, kRows, kPanels, kNibbles, true>(x, t, sums);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    store_rows<Isa, kRows, kPooled>(
        t.job, first, p * kPanel, t.left,
        [&](int r) __attribute__((always_inline)) {
          typename Isa::Sum whole = sums[0][r][p];
#pragma GCC unroll 4
          for (int s = 1; s < kSplit; ++s) whole = Isa::add(whole, sums[s][r][p]);
          return whole;
        },
        t.scales[static_cast<std::size_t>(p)]);
  }
}

// All rows from `first` on: kRows at a time, then half as many, ...
template <class Isa, int kRows, int kPanels, int kPooled, bool kNibbles, class Scale>
inline void multiply_rows_from(const TileJob<Isa, Scale, kPanels>& t, std::int64_t first) {
  for (; first + kRows <= t.job.count; first += kRows) {
    multiply_rows<Isa, kRows, kPanels, kPooled, kNibbles>(t, first);
  }
  if constexpr (kRows > kPooled) {
    multiply_rows_from<Isa, kRows / 2, kPanels, kPooled, kNibbles>(t, first);
  }
}

// The rows of a tile, in runs where they are neighbours.
template <class Isa, int kPanels, int kPooled, bool kNibbles, class Scale>
inline void multiply_tile(const TileJob<Isa, Scale, kPanels>& t) {
  // Those that are pooled come in fours.
  constexpr int kRows = kPooled == 1 ? Isa::rows(kPanels) : Isa::rows(kPanels) / 4 * 4;
  std::int64_t first = 0;
  if constexpr (RunsPixels<Isa> && kPanels == 1 && !kNibbles) {
    while (t.job.step > 0 && first + kRows <= t.job.count) {
      if (!is_run<Isa, kPooled>(t.job, first)) {
        multiply_rows<Isa, kRows, kPanels, kPooled, kNibbles>(t, first);
        first += kRows;
        continue;
      }
      if (t.tile.columns > 1) {
        multiply_run<Isa, kSharedColumns, kPooled>(t, first);
      } else {
        multiply_run<Isa, 1, kPooled>(t, first);
      }
      first += Isa::kRunPixels;
    }
  }
  multiply_rows_from<Isa, kRows, kPanels, kPooled, kNibbles>(t, first);
}

// Bytes of weights from which on they hardly stay in it.
inline constexpr std::int64_t kSecondCache = std::int64_t{1} << 20;

template <class Isa, int kPooled, bool kNibbles>
void run_tiles(const MultiplyJob& job, const PackedLayer& layer) {
  const auto run = [&]<int kPanels>(const Tile& tile) {
    if constexpr (kPanels <= Isa::kMaxPanels) {
      with_scaling<Isa>(layer.lanes.high, job.range, [&]<class Scale>() {
        const TileJob<Isa, Scale, kPanels> t(job, layer, tile);
        multiply_tile<Isa, kPanels, kPooled, kNibbles>(t);
      });
    }
  };
  const auto run_any = [&](const Tile& tile) {
    if constexpr (HasPixelLanes<Isa>) {
      if (tile.pixels && tile.share == 2) return multiply_lanes<Isa, kPooled, 2>(job, layer, tile);
      if (tile.pixels) return multiply_lanes<Isa, kPooled, 4>(job, layer, tile);
    }
    if constexpr (HasNarrowTiles<Isa>) {
      if (tile.share == 2) return multiply_narrow<Isa, kPooled, 2>(job, layer, tile);
      if (tile.share == 4) return multiply_narrow<Isa, kPooled, 4>(job, layer, tile);
    }
    switch (tile.panels) {
      case 1:
        return run.template operator()<1>(tile);
      case 2:
        return run.template operator()<2>(tile);
      case 3:
        return run.template operator()<3>(tile);
      default:
        return run.template operator()<4>(tile);
    }
  };
  if (job.backwards && std::ssize(layer.weights) > kSecondCache) {
    std::for_each(layer.tiles.rbegin(), layer.tiles.rend(), run_any);
  } else {
    std::for_each(layer.tiles.begin(), layer.tiles.end(), run_any);
  }
}

template <class Isa, int kPooled>
void multiply_tiles(const MultiplyJob& job, const PackedLayer& layer) {
  if constexpr (UnpacksNibbles<Isa> || AddsSmallProducts<Isa>) {
    if (layer.nibbles) return run_tiles<Isa, kPooled, true>(job, layer);
  }
  run_tiles<Isa, kPooled, false>(job, layer);
}

}  // namespace pare::integer
