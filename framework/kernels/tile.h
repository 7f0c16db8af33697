// The two innermost loops of all dense and convolution work: tiles of a matrix product held in
// registers.
//
// Both compute C[rows x columns] = start + sum over k of A * B, where a row of B is contiguous (it
// is loaded as vectors) and the elements of A are found through pointers (they are broadcast), so
// that convolutions read images directly, without unfolding them:
//   gather: the rows of A are anywhere, and the terms of the sum run through contiguous segments of
//   each row; outer:  the terms of the sum are anywhere (A is stored the other way round), rows at
//   fixed offsets from them.
// The sum of one element runs in order of k in one accumulator.
#pragma once

#include <cstdint>
#include <span>

#include "framework/kernels/simd.h"

namespace pare {

// rows * 2 accumulators, two vectors of B and a broadcast fill the registers: 14 x 32 with AVX-512.
inline constexpr std::int64_t kTileRows = simd::kRegisters == 32 ? 14 : 6;
inline constexpr std::int64_t kTileColumns = 2 * simd::kLanes;

// Rows of a tile that is one vector wide: each row's pointer stays in a register, which is worth
// more there than one load of B less.
inline constexpr std::int64_t kNarrowTileRows = simd::kRegisters == 32 ? 8 : 6;

// The most rows of a tile with so many columns.
inline std::int64_t most_rows(std::int64_t columns) {
  return columns <= simd::kLanes ? kNarrowTileRows : kTileRows;
}

// kTileColumns zeros, for `start`.
alignas(64) inline constexpr float kZeroRow[kTileColumns] = {};
inline const float* zero_row() { return kZeroRow; }

// Rows per tile such that `rows` are cut into as few tiles as possible, of nearly equal size: 16 ->
// 8 + 8.
std::int64_t balanced_tile(std::int64_t rows, std::int64_t largest = kTileRows);

struct GatherTile {
  std::int64_t rows = 0;      // 1 .. kTileRows
  std::int64_t columns = 0;   // 1 .. kTileColumns
  const float* a[kTileRows];  // row r of A: its terms are a[r][segment + k]
  const float*
      start[kTileRows];  // where row r's sums begin: a bias, zeros, or out itself to accumulate
  float* out[kTileRows];
};

// out[r][n] = start[r][n] + sum_s sum_{k < length} a[r][segments[s] + k] * b[(s * length + k) * ldb
// + n]
void gather_product(const GatherTile& tile, std::span<const std::int64_t> segments,
                    std::int64_t length, const float* b, std::int64_t ldb);

struct OuterTile {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t offset[kTileRows];  // element (r, p) of A is a[points[p] + offset[r]]
  const float* start[kTileRows];
  float* out[kTileRows];
};

// out[r][n] = start[r][n] + sum_p a[points[p] + offset[r]] * b[p * ldb + n]
void outer_product(const OuterTile& tile, const float* a, std::span<const std::int64_t> points,
                   const float* b, std::int64_t ldb);

}  // namespace pare
