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
//   widen, fill, shift_left, multiply   for elementwise_loops.h; optional: pairs, shift_right
// clang-format on
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/narrow_tiles.h"
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

// All entries of a tile.
template <class Isa, int kRows, int kPanels, bool kNibbles, int kSplit, class Scale>
[[gnu::always_inline]] inline void add_entries(const std::uint8_t* const (&x)[kRows],
                                               const TileJob<Isa, Scale, kPanels>& t,
                                               Sums<Isa, kRows, kPanels> (&sums)[kSplit]) {
  const std::int8_t* w = t.weights;
  const std::int32_t* offset = t.offsets;
  const std::int32_t* const end = offset + t.entries;
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
  for (int r = 0; r < kRows; ++r) x[r] = t.job.image + t.job.rows[first + r];
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
  add_entries<Isa, kRows, kPanels, kNibbles>(x, t, sums);
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    // Not store_rows: through another function 16 accumulators did not stay in registers.
    const Scale& scale = t.scales[static_cast<std::size_t>(p)];
    std::int8_t* out = t.job.out + first / kPooled * t.job.stride + p * kPanel;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r += kPooled, out += t.job.stride) {
      typename Isa::Sum sum;
#pragma GCC unroll 4
      for (int k = 0; k < kPooled; ++k) {
        typename Isa::Sum whole = sums[0][r + k][p];
#pragma GCC unroll 4
        for (int s = 1; s < kSplit; ++s) whole = Isa::add(whole, sums[s][r + k][p]);
        sum = k == 0 ? whole : Isa::max(sum, whole);
      }
      Isa::store(scale(sum), t.job.range, out, t.used(p));
    }
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

template <class Isa, int kPooled, bool kNibbles>
void run_tiles(const MultiplyJob& job, const PackedLayer& layer) {
  const auto run = [&]<int kPanels>(const Tile& tile) {
    if constexpr (kPanels <= Isa::kMaxPanels) {
      with_scaling<Isa>(layer.lanes.high, job.range, [&]<class Scale>() {
        const TileJob<Isa, Scale, kPanels> t(job, layer, tile);
        multiply_rows_from<Isa, Isa::rows(kPanels), kPanels, kPooled, kNibbles>(t, 0);
      });
    }
  };
  for (const Tile& tile : layer.tiles) {
    if constexpr (HasNarrowTiles<Isa>) {
      if (tile.share == 2) multiply_narrow<Isa, kPooled, 2>(job, layer, tile);
      if (tile.share == 4) multiply_narrow<Isa, kPooled, 4>(job, layer, tile);
      if (tile.share > 1) continue;
    }
    switch (tile.panels) {
      case 1:
        run.template operator()<1>(tile);
        break;
      case 2:
        run.template operator()<2>(tile);
        break;
      case 3:
        run.template operator()<3>(tile);
        break;
      default:
        run.template operator()<4>(tile);
        break;
    }
  }
}

template <class Isa, int kPooled>
void multiply_tiles(const MultiplyJob& job, const PackedLayer& layer) {
  if constexpr (UnpacksNibbles<Isa> || AddsSmallProducts<Isa>) {
    if (layer.nibbles) return run_tiles<Isa, kPooled, true>(job, layer);
  }
  run_tiles<Isa, kPooled, false>(job, layer);
}

inline void copy_as_words(const ImageJob& job, const std::uint8_t* end) {
  if (job.words == nullptr) return;
  const std::int64_t count = end - job.image;
  for (std::int64_t i = 0; i < count; ++i) job.words[i] = job.image[i];
}

template <class Isa>
void load_image(const ImageJob& job) {
  const auto fill = static_cast<std::uint8_t>(job.zero_point + Isa::kInputOffset);
  std::uint8_t* out = job.image;
  const auto pad = [&](std::int64_t count) {
    std::memset(out, fill, static_cast<std::size_t>(count * job.repeat));
    out += count * job.repeat;
  };
  const auto copy = [&](const std::int8_t* codes, std::int64_t count) {
    if (job.repeat == 1) {
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::uint8_t>(codes[i] + Isa::kInputOffset);
      }
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        std::memset(out + i * job.repeat, codes[i] + Isa::kInputOffset,
                    static_cast<std::size_t>(job.repeat));
      }
    }
    out += count * job.repeat;
  };
  if (job.left == 0 && job.right == 0) {
    pad(job.top * job.width);
    copy(job.codes, job.height * job.width);
    pad(job.bottom * job.width);
    return copy_as_words(job, out);
  }
  const std::int64_t width = job.left + job.width + job.right;
  pad(job.top * width);
  for (std::int64_t y = 0; y < job.height; ++y) {
    pad(job.left);
    copy(job.codes + y * job.width, job.width);
    pad(job.right);
  }
  pad(job.bottom * width);
  copy_as_words(job, out);
}

}  // namespace pare::integer
