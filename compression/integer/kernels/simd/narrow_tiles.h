// Tiles of at most 8 or 4 channels, which would leave most of a vector's 16 lanes idle: each
// channel has 2 or 4 neighbouring lanes, for taps that follow one another, so that an entry has 8
// or 16 taps (packed_layer.h). The lanes of a channel are added at the end, for 2 or 4 pixels at
// once, and these are requantized together.
//
// An instruction set that has such tiles provides, beside what multiply_tiles.h asks for,
//   broadcast_wide<kShare>(p)   4 * kShare bytes of the image, for all channels
//   fold(sums)                  of kShare pixels: lane pixel * channels + channel
//   store_pixels(...)           codes of kShare pixels, the first `used` channels of the first
//                               `pixels` ones
#pragma once

#include <algorithm>
#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/scaling_forms.h"
#include "compression/integer/kernels/simd/small_products.h"
#include "compression/integer/kernels/simd/tile_job.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool HasNarrowTiles = requires(const std::uint8_t* p) {
  Isa::template broadcast_wide<2>(p);
};

// The rows [first, first + kRows); unless they are kWhole, as far as there are any: a row beyond
// the last one is computed like that one, and not stored.
template <class Isa, int kShare, int kPooled, int kRows, bool kWhole, class Scale>
[[gnu::always_inline]] inline void multiply_narrow_rows(const TileJob<Isa, Scale, 1>& t,
                                                        const typename Isa::Sum& start,
                                                        std::int64_t first) {
  using Sum = typename Isa::Sum;
  const std::uint8_t* x[kRows];
  Sum sums[kRows][1];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    x[r] = t.taps(kWhole ? first + r : std::min(first + r, t.job.count - 1));
    sums[r][0] = Isa::zero();
  }
  const std::int8_t* weights = t.weights;
  const std::int32_t* offset = t.offsets;
  const std::int32_t* const end = offset + t.entries;
  if constexpr (AddsSmallProducts<Isa>) {
    add_small_entries<Isa, kShare, kRows, false>(x, t.tile, offset, weights, sums);
  }
  for (; offset != end; ++offset, weights += kPanel * kEntryTaps) {
    const typename Isa::Weights w = Isa::load_weights(weights);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] = Isa::dot(sums[r][0], Isa::template broadcast_wide<kShare>(x[r] + *offset), w);
    }
  }
  std::int64_t pixel = first / kPooled;
#pragma GCC unroll 4
  for (int v = 0; v < kRows; v += kShare * kPooled, pixel += kShare) {
    Sum sum;
#pragma GCC unroll 4
    for (int k = 0; k < kPooled; ++k) {
      Sum rows[kShare];
#pragma GCC unroll 4
      for (int s = 0; s < kShare; ++s) rows[s] = sums[v + s * kPooled + k][0];
      // With the start first: sums without it are right modulo 2^32 only, and have no order.
      const Sum folded = Isa::add(Isa::fold(rows), start);
      sum = k == 0 ? folded : Isa::max(sum, folded);
    }
    Isa::template store_pixels<kShare>(t.scales[0](sum), t.job.range,
                                       t.job.out + pixel * t.job.stride, t.job.stride, t.left,
                                       kWhole ? kShare : t.job.count / kPooled - pixel);
  }
}

template <class Isa, int kPooled, int kShare>
inline void multiply_narrow(const MultiplyJob& job, const PackedLayer& layer, const Tile& tile) {
  constexpr int kLeast = kShare * kPooled;
  constexpr int kRows = std::max(8 / Isa::kSumRegisters, kLeast);
  with_scaling<Isa>(layer.lanes.high, job.range, [&]<class Scale>() {
    const TileJob<Isa, Scale, 1> t(job, layer, tile);
    const typename Isa::Sum start = Isa::load(t.starts);
    const std::int64_t count = job.count;
    std::int64_t first = 0;
    for (; first + kRows <= count; first += kRows) {
      multiply_narrow_rows<Isa, kShare, kPooled, kRows, true>(t, start, first);
    }
    for (; first < count; first += kLeast) {
      multiply_narrow_rows<Isa, kShare, kPooled, kLeast, false>(t, start, first);
    }
  });
}

}  // namespace pare::integer
