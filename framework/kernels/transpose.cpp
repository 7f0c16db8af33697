#include "framework/kernels/transpose.h"

#include <algorithm>
#include <utility>

#include "framework/base/parallel.h"

namespace pare {
namespace {

using simd::Floats;
using simd::kLanes;

// Exchanges the squares of width `step` beside the diagonal between two rows that lie `step` apart:
// low keeps its lanes without the bit `step` and takes high's, and the other way round.
template <int step, int... lane>
void exchange(Floats& low, Floats& high, std::integer_sequence<int, lane...>) {
  const Floats l = low, h = high;
  low = __builtin_shufflevector(l, h, ((lane & step) != 0 ? kLanes + lane - step : lane)...);
  high = __builtin_shufflevector(l, h, ((lane & step) != 0 ? kLanes + lane : lane + step)...);
}

template <int step>
void exchange_all(Floats (&rows)[kLanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if ((i & step) == 0) {
      exchange<step>(rows[i], rows[i + step], std::make_integer_sequence<int, kLanes>());
    }
  }
  if constexpr (2 * step < kLanes) exchange_all<2 * step>(rows);
}

}  // namespace

void transpose_square(const float* in, std::int64_t ld_in, std::int64_t rows, std::int64_t columns,
                      float* out, std::int64_t ld_out, std::int64_t padded_rows) {
  Floats square[kLanes];
  const simd::Mask read = simd::first_lanes(columns);
  const simd::Mask write = simd::first_lanes(std::max(rows, padded_rows));
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    square[i] = i < rows ? simd::load(in + i * ld_in, read) : Floats{};
  }
  exchange_all<1>(square);
#pragma GCC unroll 16
  for (int j = 0; j < kLanes; ++j) {
    if (j < columns) simd::store(out + j * ld_out, square[j], write);
  }
}

void transpose(const float* in, std::int64_t rows, std::int64_t columns, float* out) {
  parallel_tiles(columns, 16 * kLanes, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; j += kLanes) {
      for (std::int64_t i = 0; i < rows; i += kLanes) {
        transpose_square(in + i * columns + j, columns, std::min<std::int64_t>(kLanes, rows - i),
                         std::min<std::int64_t>(kLanes, end - j), out + j * rows + i, rows, 0);
      }
    }
  });
}

}  // namespace pare
