// Tiles whose entries stand in threes, one for each column of a 3 x 3 kernel (packed_layer.h): an
// input that is loaded once is multiplied for three neighbouring output pixels. Include behind the
// target pragma.
//
// With one panel, eight products by eight inputs take nine loads, and a processor that multiplies
// as often in a cycle as it loads waits for them. Here 48 products take 21 loads.
//
// An instruction set that shares columns says `kColumnRows`: output pixels of a row at a time.
#pragma once

#include <cstdint>

#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/kernels/simd/row_blocks.h"
#include "compression/integer/kernels/simd/tile_job.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool SharesColumns = requires {
  Isa::kColumnRows;
};

// Whether the next kColumnRows pixels from `first` on are one column apart. From a row of output
// pixels to the next it is more: a row is as long as its pixels and a kernel's other columns.
template <class Isa>
inline bool in_one_row(const MultiplyJob& job, std::int64_t first, std::int64_t column) {
  constexpr std::int64_t kRows = Isa::kColumnRows;
  return first + kRows <= job.count &&
         job.rows[first + kRows - 1] - job.rows[first] == (kRows - 1) * column;
}

template <class Isa, class Scale>
[[gnu::always_inline]] inline void multiply_row(const TileJob<Isa, Scale, 1>& t, std::int64_t first,
                                                std::int64_t column) {
  constexpr int kRows = Isa::kColumnRows;
  typename Isa::Sum sums[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) sums[r] = Isa::load(t.starts);
  const std::uint8_t* const row = t.job.image + t.job.rows[first];
  const std::int8_t* weights = t.weights;
  const std::int32_t* const end = t.offsets + t.entries;
  for (const std::int32_t* offset = t.offsets; offset != end; offset += kSharedColumns) {
    typename Isa::Weights w[kSharedColumns];
#pragma GCC unroll 3
    for (int k = 0; k < kSharedColumns; ++k, weights += kPanel * kEntryTaps)
      w[k] = Isa::load_weights(weights);
    const std::uint8_t* x = row + *offset;
#pragma GCC unroll 18
    for (int c = 0; c < kRows + kSharedColumns - 1; ++c, x += column) {
      const typename Isa::Input input = Isa::broadcast(x);
#pragma GCC unroll 3
      for (int k = 0; k < kSharedColumns; ++k) {
        const int r = c - k;
        if (r >= 0 && r < kRows) sums[r] = Isa::dot(sums[r], input, w[k]);
      }
    }
  }
  store_rows<Isa, kRows, 1>(
      t.job, first, 0, t.left, [&](int r) __attribute__((always_inline)) { return sums[r]; },
      t.scales[0]);
}

}  // namespace pare::integer
