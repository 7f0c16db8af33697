// What AVX2 and AVX-VNNI share: 16 accumulators in two 256-bit registers, and requantization, for
// which these instruction sets have the same instructions. Include behind the target pragma.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/scaling.h"

namespace pare::integer {
namespace {

struct Ymm {
  struct Sum {
    __m256i low, high;
  };
  static constexpr std::int32_t kInputOffset = 128;
  static constexpr int kMaxPanels = 1;

  static Sum zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static __m256i load_half(const void* p) {
    return _mm256_load_si256(static_cast<const __m256i*>(p));
  }
  static Sum load(const std::int32_t* p) { return {load_half(p), load_half(p + 8)}; }
  static __m256i broadcast_taps(const std::uint8_t* p) {
    std::int32_t taps;
    std::memcpy(&taps, p, sizeof taps);
    return _mm256_set1_epi32(taps);
  }
  static Sum add(Sum a, Sum b) {
    return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
  }
  static Sum max(Sum a, Sum b) {
    return {_mm256_max_epi32(a.low, b.low), _mm256_max_epi32(a.high, b.high)};
  }

  // Four 64-bit lanes. There is no arithmetic shift of 64 bits before AVX-512: 2^62 makes the sum
  // positive (products are above -2^62), and 2^62 >> right takes it away again afterwards.
  static __m256i scale(__m256i sums, const PanelScaling& s, int first) {
    const auto at = [first](const std::int64_t* p) { return load_half(p + first); };
    const __m256i product = _mm256_mul_epi32(sums, at(s.value));
    const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), product);
    const __m256i offset = _mm256_set1_epi64x(std::int64_t{1} << 62);
    __m256i sum = _mm256_add_epi64(product, at(s.nudge));
    sum = _mm256_sub_epi64(sum, _mm256_and_si256(negative, at(s.correction)));
    const __m256i right = at(s.right);
    return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_add_epi64(sum, offset), right),
                            _mm256_srlv_epi64(offset, right));
  }

  // Eight codes as int32; `first`: slot of their first even channel.
  static __m256i codes(__m256i sums, const PanelScaling& scaling, int first,
                       const CodeRange& range) {
    const __m256i even = scale(sums, scaling, first);
    const __m256i odd = scale(_mm256_srli_epi64(sums, 32), scaling, first + kPanel / 2);
    __m256i code = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    // Clamping before the zero point is added cannot overflow.
    code = _mm256_max_epi32(code, _mm256_set1_epi32(range.low - range.zero_point));
    code = _mm256_min_epi32(code, _mm256_set1_epi32(range.high - range.zero_point));
    return _mm256_add_epi32(code, _mm256_set1_epi32(range.zero_point));
  }

  static void finish(Sum sum, const PanelScaling& scaling, const CodeRange& range, std::int8_t* out,
                     int used) {
    const __m256i low = codes(sum.low, scaling, 0, range);
    const __m256i high = codes(sum.high, scaling, 4, range);
    // The packs work within 128-bit halves; the permutation puts the channels back in order.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    if (used == kPanel) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
      return;
    }
    alignas(16) std::int8_t codes[kPanel];
    _mm_store_si128(reinterpret_cast<__m128i*>(codes), bytes);
    std::memcpy(out, codes, static_cast<std::size_t>(used));
  }
};

}  // namespace
}  // namespace pare::integer
