// Products of bytes in 16 bits, where the only instruction for them adds those of two neighbouring
// taps there, and weights are so small that this is exact: one group of entries after the other
// (packed_layer.h), each added up in 16 bits. Include behind the target pragma.
//
// An instruction set that has them provides, beside what multiply_tiles.h asks for,
//   Small                   32 numbers of 16 bits, or 64 bytes of weights
//   load_small(p)           the weights of one panel
//   unpack(p, even, odd)    64 bytes of nibbles into those of two entries
//   multiply_small<kShare>(x, w)   4 * kShare bytes of the image with the weights: a sum of two
//                           products for each two taps of a channel
//   zero_small(), add_small(a, b)
//   add_pairs(sum, small)   both sums of a channel to its accumulator
#pragma once

#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool AddsSmallProducts = requires(const std::int8_t* p) {
  Isa::load_small(p);
};

// The entries that 64 bytes of weights hold, added to `products`.
template <class Isa, int kShare, int kRows, bool kNibbles>
[[gnu::always_inline]] inline void add_small_load(const std::uint8_t* const (&x)[kRows],
                                                  const std::int32_t* offset,
                                                  const std::int8_t* weights,
                                                  typename Isa::Small (&products)[kRows]) {
  typename Isa::Small w[kNibbles ? 2 : 1];
  if constexpr (kNibbles) {
    Isa::unpack(weights, w[0], w[1]);
  } else {
    w[0] = Isa::load_small(weights);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    products[r] =
        Isa::add_small(products[r], Isa::template multiply_small<kShare>(x[r] + offset[0], w[0]));
    if constexpr (kNibbles) {
      products[r] =
          Isa::add_small(products[r], Isa::template multiply_small<kShare>(x[r] + offset[1], w[1]));
    }
  }
}

// `count` entries, as far as they fill groups; moves offset and weights behind them.
template <class Isa, int kShare, int kRows, int kGroup, bool kNibbles>
[[gnu::always_inline]] inline void add_small_groups(const std::uint8_t* const (&x)[kRows],
                                                    std::int64_t count, const std::int32_t*& offset,
                                                    const std::int8_t*& weights,
                                                    typename Isa::Sum (&sums)[kRows][1]) {
  constexpr int kLoaded = kNibbles ? 2 : 1;
  const std::int32_t* const end = offset + count / kGroup * kGroup;
  const std::int32_t* at = offset;
  const std::int8_t* w = weights;
  // Own variables stay in registers; the caller's may be what x points to.
  typename Isa::Sum own[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) own[r] = sums[r][0];
  while (at != end) {
    typename Isa::Small products[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) products[r] = Isa::zero_small();
      // Unrolled, all products would be computed before the first of them is added, and not fit the
      // registers.
#pragma GCC unroll 1
    for (int e = 0; e < kGroup; e += kLoaded, at += kLoaded, w += kPanel * kEntryTaps) {
      add_small_load<Isa, kShare, kRows, kNibbles>(x, at, w, products);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) own[r] = Isa::add_pairs(own[r], products[r]);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) sums[r][0] = own[r];
  offset = at;
  weights = w;
}

// All small entries of a tile.
template <class Isa, int kShare, int kRows, bool kNibbles>
[[gnu::always_inline]] inline void add_small_entries(const std::uint8_t* const (&x)[kRows],
                                                     const Tile& tile, const std::int32_t*& offset,
                                                     const std::int8_t*& weights,
                                                     typename Isa::Sum (&sums)[kRows][1]) {
  if constexpr (kNibbles) {
    add_small_groups<Isa, kShare, kRows, 8, true>(x, tile.entries, offset, weights, sums);
    add_small_groups<Isa, kShare, kRows, 2, true>(x, tile.entries % 8, offset, weights, sums);
  } else {
    add_small_groups<Isa, kShare, kRows, 8, false>(x, tile.small[0], offset, weights, sums);
    add_small_groups<Isa, kShare, kRows, 4, false>(x, tile.small[1], offset, weights, sums);
    add_small_groups<Isa, kShare, kRows, 2, false>(x, tile.small[2], offset, weights, sums);
    add_small_groups<Isa, kShare, kRows, 1, false>(x, tile.small[3], offset, weights, sums);
  }
}

}  // namespace pare::integer
