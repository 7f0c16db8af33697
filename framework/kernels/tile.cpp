#include "framework/kernels/tile.h"

#include <array>
#include <utility>

#include "framework/base/error.h"

namespace pare {
namespace {

using simd::Floats;

// One instance per number of rows and vectors, so that every accumulator is a register.
template <int rows, int vectors>
void gather_kernel(const GatherTile& tile, std::span<const std::int64_t> segments,
                   std::int64_t length, const float* b, std::int64_t ldb) {
  constexpr int last = (vectors - 1) * simd::kLanes;
  const simd::Mask mask = simd::first_lanes(tile.columns - last);
  Floats sum[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    if constexpr (vectors == 2) sum[r][0] = simd::load(tile.start[r]);
    sum[r][vectors - 1] = simd::load(tile.start[r] + last, mask);
  }
  for (const std::int64_t segment : segments) {
    for (std::int64_t k = segment; k < segment + length; ++k, b += ldb) {
      Floats terms[vectors];
      if constexpr (vectors == 2) terms[0] = simd::load(b);
      terms[vectors - 1] = simd::load(b + last, mask);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const Floats a = simd::broadcast(tile.a[r][k]);
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) sum[r][v] = simd::fma(a, terms[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    if constexpr (vectors == 2) simd::store(tile.out[r], sum[r][0]);
    simd::store(tile.out[r] + last, sum[r][vectors - 1], mask);
  }
}

template <int rows, int vectors>
void outer_kernel(const OuterTile& tile, const float* a, std::span<const std::int64_t> points,
                  const float* b, std::int64_t ldb) {
  constexpr int last = (vectors - 1) * simd::kLanes;
  const simd::Mask mask = simd::first_lanes(tile.columns - last);
  Floats sum[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    if constexpr (vectors == 2) sum[r][0] = simd::load(tile.start[r]);
    sum[r][vectors - 1] = simd::load(tile.start[r] + last, mask);
  }
  for (const std::int64_t point : points) {
    Floats terms[vectors];
    if constexpr (vectors == 2) terms[0] = simd::load(b);
    terms[vectors - 1] = simd::load(b + last, mask);
    b += ldb;
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const Floats x = simd::broadcast(a[point + tile.offset[r]]);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[r][v] = simd::fma(x, terms[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    if constexpr (vectors == 2) simd::store(tile.out[r], sum[r][0]);
    simd::store(tile.out[r] + last, sum[r][vectors - 1], mask);
  }
}

using GatherKernel = decltype(&gather_kernel<1, 1>);
using OuterKernel = decltype(&outer_kernel<1, 1>);

// kernels[rows - 1][vectors - 1]
template <std::size_t... r>
constexpr auto gather_kernels(std::index_sequence<r...>) {
  return std::array<std::array<GatherKernel, 2>, sizeof...(r)>{
      {{&gather_kernel<r + 1, 1>, &gather_kernel<r + 1, 2>}...}};
}
template <std::size_t... r>
constexpr auto outer_kernels(std::index_sequence<r...>) {
  return std::array<std::array<OuterKernel, 2>, sizeof...(r)>{
      {{&outer_kernel<r + 1, 1>, &outer_kernel<r + 1, 2>}...}};
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

std::int64_t balanced_tile(std::int64_t rows, std::int64_t largest) {
  const std::int64_t tiles = (rows + largest - 1) / largest;
  return tiles == 0 ? 1 : (rows + tiles - 1) / tiles;
}

void gather_product(const GatherTile& tile, std::span<const std::int64_t> segments,
                    std::int64_t length, const float* b, std::int64_t ldb) {
  static constexpr auto kernels = gather_kernels(std::make_index_sequence<kTileRows>());
  PARE_ENSURE(tile.rows >= 1 && tile.rows <= kTileRows && tile.columns >= 1 &&
              tile.columns <= kTileColumns);
  kernels[index(tile.rows - 1)][tile.columns > simd::kLanes](tile, segments, length, b, ldb);
}

void outer_product(const OuterTile& tile, const float* a, std::span<const std::int64_t> points,
                   const float* b, std::int64_t ldb) {
  static constexpr auto kernels = outer_kernels(std::make_index_sequence<kTileRows>());
  PARE_ENSURE(tile.rows >= 1 && tile.rows <= kTileRows && tile.columns >= 1 &&
              tile.columns <= kTileColumns);
  kernels[index(tile.rows - 1)][tile.columns > simd::kLanes](tile, a, points, b, ldb);
}

}  // namespace pare
