// Products in 16 bits of bytes that became words before, for entries of AVX2 whose weights are not
// small (packed_layer.h). Include behind the target pragma.
//
// An instruction set that has them provides
//   add_words(x, offset, w, sums)   four words of each row's image with the weights of one entry,
//                                   [half of the panel][pair of taps][8 channels][2 taps]
#pragma once

#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool MultipliesWords = requires(const std::int16_t* const (&x)[1],
                                                 typename Isa::Sum (&sums)[1]) {
  Isa::add_words(x, 0, nullptr, sums);
};

// The entries [offset, end) for rows whose first bytes are at x.
template <class Isa, int kRows>
[[gnu::always_inline]] inline void add_word_entries(
    const std::uint8_t* const (&x)[kRows], const MultiplyJob& job, const std::int32_t* offset,
    const std::int32_t* end, const std::int8_t* weights, typename Isa::Sum (&sums)[kRows][1]) {
  if (offset == end) return;
  const std::int16_t* words[kRows];
  typename Isa::Sum own[kRows];  // the caller's would not stay in registers
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    words[r] = job.words + (x[r] - job.image);
    own[r] = sums[r][0];
  }
  for (; offset != end; ++offset, weights += kPanel * kEntryTaps)
    Isa::add_words(words, *offset, weights, own);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) sums[r][0] = own[r];
}

}  // namespace pare::integer
