// One panel times sixteen output pixels that are neighbours in a row, or in two rows of eight where
// a 2 x 2 max pooling follows. Include behind the target pragma.
//
// A panel's eight products by eight inputs take nine loads, and a processor that multiplies as
// often in a cycle as it loads waits for them. Neighbours need one address instead of sixteen
// registers full of them, so a load of weights serves 16 products. And where the entries of the
// three columns of a 3 x 3 kernel stand together (packed_layer.h), an input that is loaded once is
// multiplied for three pixels: 48 products take 21 loads.
//
// An instruction set that has such runs says `kRunPixels`, 16.
#pragma once

#include <cstdint>

#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/kernels/simd/row_blocks.h"
#include "compression/integer/kernels/simd/tile_job.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool RunsPixels = requires {
  Isa::kRunPixels;
};

// Whether the pixels from `first` on are a run. From one pixel, or pooled window, to the next it is
// one distance inside a row of the output and another one at the end of any row: if the sum over
// several is what it is inside a row, all are.
template <class Isa, int kPooled>
inline bool is_run(const MultiplyJob& job, std::int64_t first) {
  constexpr std::int64_t kPixels = Isa::kRunPixels, kWindows = kPixels / kPooled;
  constexpr std::int64_t kAcross = kOutputRows<kPooled>;  // a window has as many columns as rows
  return first + kPixels <= job.count && job.rows[first + kPixels - kPooled] - job.rows[first] ==
                                             (kWindows - 1) * kAcross * job.step;
}

// sums[y][c] of so many entries: taps of the first pixel of each row lie from rows[y] on, those of
// its neighbours `step` bytes further each.
template <class Isa, int kColumns, int kRows, int kWidth>
[[gnu::always_inline]] inline void add_run(const std::uint8_t* const (&rows)[kRows],
                                           std::int64_t step, const std::int32_t* offset,
                                           std::int64_t entries, const std::int8_t* weights,
                                           typename Isa::Sum (&sums)[kRows][kWidth]) {
  const std::int32_t* const end = offset + entries;
  for (; offset != end; offset += kColumns) {
    typename Isa::Weights w[kColumns];
#pragma GCC unroll 3
    for (int k = 0; k < kColumns; ++k, weights += kPanel * kEntryTaps)
      w[k] = Isa::load_weights(weights);
#pragma GCC unroll 2
    for (int y = 0; y < kRows; ++y) {
      const std::uint8_t* x = rows[y] + *offset;
#pragma GCC unroll 18
      for (int c = 0; c < kWidth + kColumns - 1; ++c, x += step) {
        const typename Isa::Input input = Isa::broadcast(x);
#pragma GCC unroll 3
        for (int k = 0; k < kColumns; ++k) {
          if (c - k >= 0 && c - k < kWidth) sums[y][c - k] = Isa::dot(sums[y][c - k], input, w[k]);
        }
      }
    }
  }
}

template <class Isa, int kColumns, int kPooled, class Scale>
[[gnu::always_inline]] inline void multiply_run(const TileJob<Isa, Scale, 1>& t,
                                                std::int64_t first) {
  constexpr int kRows = kOutputRows<kPooled>, kWidth = Isa::kRunPixels / kRows;
  typename Isa::Sum sums[kRows][kWidth];
  const std::uint8_t* rows[kRows];
#pragma GCC unroll 2
  for (int y = 0; y < kRows; ++y) {
    rows[y] = t.taps(first + 2 * y);  // the first window's rows are 0, 0, 1, 1
#pragma GCC unroll 16
    for (int c = 0; c < kWidth; ++c) sums[y][c] = Isa::load(t.starts);
  }
  add_run<Isa, kColumns>(rows, t.job.step, t.offsets, t.entries, t.weights, sums);
  if (kColumns == 1 && t.stacked > 0) {
#pragma GCC unroll 2
    for (int y = 0; y < kRows; ++y) rows[y] = t.stacked_taps(first + 2 * y);
    add_run<Isa, kColumns>(rows, kEntryTaps * t.job.step, t.offsets + t.entries, t.stacked,
                           t.weights + t.entries * kPanel * kEntryTaps, sums);
  }
  const auto whole = [&](int r) __attribute__((always_inline)) {
    return kPooled == 1 ? sums[0][r] : sums[r % 4 / 2][r / 4 * 2 + r % 2];
  };
  store_rows<Isa, Isa::kRunPixels, kPooled>(t.job, first, 0, t.left, whole, t.scales[0]);
}

}  // namespace pare::integer
