// Minimal filtering (winograd_layer.h) with pairs of 16 bits in 256-bit registers. Include behind
// the target pragma.
//
//   for 16 tiles of 2 x 2 output pixels:    transform their 4 x 4 patches, 16 channels at a time
//     for a panel of 16 channels:
//       for each of 16 places:              a product [tiles, inputs] x [inputs, 16 channels]
//       transform the products of each tile back, start, scale, clamp, store
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/scaling_forms.h"
#include "compression/integer/kernels/simd/ymm.h"

namespace pare::integer {
namespace {

// B^T d, or d B, of four vectors of 16 bits.
inline void transform_words(const __m256i (&d)[4], __m256i (&v)[4]) {
  v[0] = _mm256_sub_epi16(d[0], d[2]);
  v[1] = _mm256_add_epi16(d[1], d[2]);
  v[2] = _mm256_sub_epi16(d[2], d[1]);
  v[3] = _mm256_sub_epi16(d[1], d[3]);
}

// The patch whose first pixel is x to `out`; places lie kWinogradTiles * channels words apart.
inline void transform_patch(const std::uint8_t* x, std::int64_t row_bytes, std::int64_t channels,
                            std::int16_t* out) {
  const std::int64_t place = kWinogradTiles * channels;
  for (std::int64_t c = 0; c < channels; c += kWinogradInputs) {
    __m256i rows[4][4];  // [place's row][column of the patch]
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      __m256i d[4], v[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        d[i] = _mm256_cvtepu8_epi16(_mm_loadu_si128(
            reinterpret_cast<const __m128i*>(x + i * row_bytes + j * channels + c)));
      }
      transform_words(d, v);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) rows[i][j] = v[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      __m256i v[4];
      transform_words(rows[i], v);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(out + (4 * i + j) * place + c), v[j]);
      }
    }
  }
}

// Four tiles of one place: products[tile][16 channels] = inputs[tile][...] * weights.
inline void multiply_place(const std::int16_t* inputs, std::int64_t channels,
                           const std::int16_t* weights, std::int32_t* products) {
  constexpr int kRows = 4;
  __m256i low[kRows], high[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
  for (std::int64_t k = 0; k < channels; k += 2, weights += 2 * kPanel) {
    const __m256i w_low = Ymm::load_half(weights), w_high = Ymm::load_half(weights + kPanel);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      std::int32_t pair;
      std::memcpy(&pair, inputs + r * channels + k, sizeof pair);
      const __m256i x = _mm256_set1_epi32(pair);
      low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(x, w_low));
      high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(x, w_high));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    auto* out = reinterpret_cast<__m256i*>(products + r * kPanel);
    _mm256_store_si256(out, low[r]);
    _mm256_store_si256(out + 1, high[r]);
  }
}

// A^T m, or m A.
inline void transform_sums(const __m256i (&m)[4], __m256i& first, __m256i& second) {
  first = _mm256_add_epi32(_mm256_add_epi32(m[0], m[1]), m[2]);
  second = _mm256_sub_epi32(_mm256_sub_epi32(m[1], m[2]), m[3]);
}

// Sums of the four pixels, row by row, of eight channels whose products begin at `products`.
inline void pixel_sums(const std::int32_t* products, __m256i start, __m256i (&sums)[4]) {
  __m256i rows[2][4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    __m256i m[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      m[i] = Ymm::load_half(products + (4 * i + j) * kWinogradTiles * kPanel);
    transform_sums(m, rows[0][j], rows[1][j]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) transform_sums(rows[i], sums[2 * i], sums[2 * i + 1]);
#pragma GCC unroll 4
  for (__m256i& sum : sums) sum = _mm256_add_epi32(_mm256_srai_epi32(sum, 2), start);
}

// Which one of the output's tiles.
struct WinogradTile {
  std::int64_t y, x;
};

template <int kPooled, class Scale>
inline void store_tile(const WinogradJob& job, const WinogradTile& tile,
                       const std::int32_t* products, const std::int32_t* start, const Scale& scale,
                       std::int64_t channel, int used) {
  __m256i low[4], high[4];
  pixel_sums(products, Ymm::load_half(start), low);
  pixel_sums(products + 8, Ymm::load_half(start + 8), high);
  if constexpr (kPooled == 4) {
    Ymm::Sum sum = {low[0], high[0]};
    for (int k = 1; k < 4; ++k) sum = Ymm::max(sum, {low[k], high[k]});
    const std::int64_t pixel = tile.y * (job.width / 2) + tile.x;
    Ymm::store(scale(sum), job.range, job.out + pixel * job.stride + channel, used);
  } else {
    for (int k = 0; k < 4; ++k) {
      const std::int64_t y = 2 * tile.y + k / 2, x = 2 * tile.x + k % 2;
      if (y >= job.height || x >= job.width) continue;
      Ymm::store(scale(Ymm::Sum{low[k], high[k]}), job.range,
                 job.out + (y * job.width + x) * job.stride + channel, used);
    }
  }
}

// A panel of `count` tiles, whose patches are transformed.
template <int kPooled>
inline void multiply_panel(const WinogradJob& job, const WinogradLayer& layer, std::int64_t panel,
                           const WinogradTile (&tiles)[kWinogradTiles], std::int64_t count) {
  const std::int64_t words = kWinogradTiles * layer.inputs;
  const std::int16_t* weights =
      layer.weights.data() + panel * kWinogradPlaces * layer.inputs * kPanel;
  for (int place = 0; place < kWinogradPlaces; ++place, weights += layer.inputs * kPanel) {
    for (std::int64_t t = 0; t < count; t += 4) {  // beyond `count` there are old numbers
      multiply_place(job.patches + place * words + t * layer.inputs, layer.inputs, weights,
                     job.products + (place * kWinogradTiles + t) * kPanel);
    }
  }
  const std::int64_t channel = panel * kPanel;
  const auto used = static_cast<int>(std::min<std::int64_t>(kPanel, layer.outputs - channel));
  with_scaling<Ymm>(layer.lanes.high, job.range, [&]<class Scale>() {
    const Scale scale(layer.lanes.scalings[panel]);
    for (std::int64_t t = 0; t < count; ++t) {
      store_tile<kPooled>(job, tiles[t], job.products + t * kPanel,
                          layer.lanes.start.data() + channel, scale, channel, used);
    }
  });
}

template <int kPooled>
void multiply_winograd(const WinogradJob& job, const WinogradLayer& layer) {
  const std::int64_t odd = kPooled == 1 ? 1 : 0;  // a pooling reads whole tiles only
  const std::int64_t across = (job.width + odd) / 2, all = (job.height + odd) / 2 * across;
  for (std::int64_t first = 0; first < all; first += kWinogradTiles) {
    const std::int64_t count = std::min<std::int64_t>(kWinogradTiles, all - first);
    WinogradTile tiles[kWinogradTiles];
    for (std::int64_t t = 0; t < count; ++t) {
      tiles[t] = {(first + t) / across, (first + t) % across};
      transform_patch(job.image + 2 * tiles[t].y * job.row_bytes + 2 * tiles[t].x * layer.inputs,
                      job.row_bytes, layer.inputs, job.patches + t * layer.inputs);
    }
    for (std::int64_t panel = 0; panel * kPanel < layer.outputs; ++panel)
      multiply_panel<kPooled>(job, layer, panel, tiles, count);
  }
}

}  // namespace
}  // namespace pare::integer
