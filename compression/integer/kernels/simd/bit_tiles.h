// Products of bits (bit_layer.h): four output pixels at a time against panels of 16 channels.
// Include behind the target pragma.
//
// An instruction set that has them provides, beside what multiply_tiles.h asks for,
//   add_ones(sum, x, w)   adds to each lane the ones in: four bytes of the image and 32 weights
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/row_blocks.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool CountsOnes = requires(typename Isa::Sum sum, const std::uint8_t* x,
                                            const std::uint32_t* w) {
  Isa::add_ones(sum, x, w);
};

// Among the taps of one pixel. A template for the instruction set's own count of ones.
template <class Isa>
inline std::int32_t count_ones(const BitLayer& layer, const std::uint8_t* image) {
  std::int32_t ones = 0;
  for (const BitRun& run : layer.runs) {
    const std::uint8_t* at = image + run.offset;
    std::int64_t left = run.bits;
    for (; left > 0; left -= 64, at += 8) {
      std::uint64_t word;
      std::memcpy(&word, at, sizeof word);
      if (left < 64) word &= (std::uint64_t{1} << left) - 1;
      ones += std::popcount(word);
    }
  }
  return ones;
}

template <class Isa, class Scale, int kRows, int kPooled>
inline void multiply_bit_rows(const MultiplyJob& job, const BitLayer& layer, std::int64_t first) {
  using Sum = typename Isa::Sum;
  const std::uint8_t* x[kRows];
  std::int32_t ones[kRows];
  for (int r = 0; r < kRows; ++r) {
    x[r] = job.image + job.rows[first + r];
    ones[r] = count_ones<Isa>(layer, x[r]);
  }
  const std::uint32_t* w = layer.weights.data();
  for (std::int64_t channel = 0; channel < layer.outputs; channel += kPanel) {
    Sum sums[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sums[r] = Isa::zero();
    for (const std::int32_t offset : layer.offsets) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[r] = Isa::add_ones(sums[r], x[r] + offset, w);
      w += kPanel;
    }
    const Sum start = Isa::load(layer.lanes.start.data() + channel);
    const auto whole = [&](int r) {
      return Isa::add(start, Isa::add(Isa::add(sums[r], sums[r]), Isa::fill(-ones[r])));
    };
    store_rows<Isa, kRows, kPooled>(job, first, channel, layer.outputs, whole,
                                    Scale(layer.lanes.scalings[channel / kPanel]));
  }
}

template <class Isa, int kPooled>
void multiply_bits(const MultiplyJob& job, const BitLayer& layer) {
  each_four_rows<Isa, kPooled>(job, layer.lanes.high,
                               [&]<class Scale, int kRows>(std::int64_t first) {
                                 multiply_bit_rows<Isa, Scale, kRows, kPooled>(job, layer, first);
                               });
}

}  // namespace pare::integer
