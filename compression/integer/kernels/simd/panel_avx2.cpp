// Four rows at a time against 16 channels: eight accumulators in registers, one vpmaddwd per row,
// pair of taps and eight channels. Requantization runs on eight channels at once with the formulas
// of arithmetic.h. Integer instructions only.
#include "compression/integer/kernels/simd/panel_avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#define PARE_AVX2 __attribute__((target("avx2")))

namespace pare::integer {
namespace {

// The odd 32-bit lanes of `high` and the even ones of `low`.
PARE_AVX2 inline __m256i merge(__m256i low, __m256i high) {
  return _mm256_blend_epi32(low, high, 0xAA);
}

// Products of the even lanes, as four int64; `odd` brings the odd lanes down first.
PARE_AVX2 inline __m256i odd(__m256i v) { return _mm256_srli_epi64(v, 32); }

// rounding_doubling_high_multiply for m >= 0 (so nothing saturates). Bits 31..62 of the sum are the
// result: a logical shift is enough because only the low 32 bits are kept.
PARE_AVX2 inline __m256i doubling_high_multiply(__m256i a, __m256i m) {
  const __m256i nudge = _mm256_set1_epi64x(std::int64_t{1} << 30);
  const __m256i low = _mm256_add_epi64(_mm256_mul_epi32(a, m), nudge);
  const __m256i high = _mm256_add_epi64(_mm256_mul_epi32(odd(a), odd(m)), nudge);
  return merge(_mm256_srli_epi64(low, 31), _mm256_slli_epi64(high, 1));
}

// rounding_divide_by_power_of_two, exponents per lane.
PARE_AVX2 inline __m256i divide_by_power_of_two(__m256i x, __m256i exponent) {
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, exponent), one);
  const __m256i remainder = _mm256_and_si256(x, mask);
  const __m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(x, 31));
  const __m256i up =
      _mm256_cmpgt_epi32(remainder, threshold);  // -1 where the quotient is rounded up
  return _mm256_sub_epi32(_mm256_srav_epi32(x, exponent), up);
}

PARE_AVX2 inline __m256i scale_twice(__m256i accumulator, __m256i value, __m256i shift) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i left = _mm256_max_epi32(shift, zero);
  const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
  return divide_by_power_of_two(doubling_high_multiply(_mm256_sllv_epi32(accumulator, left), value),
                                right);
}

// (product + 2^(right - 1)) >> right on int64 lanes, right in [1, 62]. AVX2 has no arithmetic shift
// of 64 bits: 2^62 makes the sum positive, and 2^(62 - right) takes it away again afterwards.
PARE_AVX2 inline __m256i rounding_shift(__m256i product, __m256i right) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(right, one));
  const __m256i offset = _mm256_set1_epi64x(std::int64_t{1} << 62);
  const __m256i sum = _mm256_add_epi64(_mm256_add_epi64(product, half), offset);
  return _mm256_sub_epi64(_mm256_srlv_epi64(sum, right), _mm256_srlv_epi64(offset, right));
}

PARE_AVX2 inline __m256i scale_once(__m256i accumulator, __m256i value, __m256i shift) {
  const __m256i right = _mm256_sub_epi32(_mm256_set1_epi32(31), shift);
  const __m256i low_right = _mm256_and_si256(right, _mm256_set1_epi64x(0xFFFFFFFF));
  const __m256i low = rounding_shift(_mm256_mul_epi32(accumulator, value), low_right);
  const __m256i high = rounding_shift(_mm256_mul_epi32(odd(accumulator), odd(value)), odd(right));
  return merge(low, _mm256_slli_epi64(high, 32));
}

// Eight accumulators -> eight codes as int32. Clamping before the zero point is added cannot
// overflow.
PARE_AVX2 inline __m256i finish_codes(__m256i accumulator, const Panel& panel, int first,
                                      const Finish& finish) {
  const auto load = [first](const std::int32_t* p) PARE_AVX2 {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + first));
  };
  const __m256i value = load(panel.values), shift = load(panel.shifts);
  __m256i code = finish.rounding == Rounding::twice ? scale_twice(accumulator, value, shift)
                                                    : scale_once(accumulator, value, shift);
  code = _mm256_max_epi32(code, _mm256_set1_epi32(finish.low - finish.zero_point));
  code = _mm256_min_epi32(code, _mm256_set1_epi32(finish.high - finish.zero_point));
  return _mm256_add_epi32(code, _mm256_set1_epi32(finish.zero_point));
}

PARE_AVX2 inline void store_codes(__m256i low, __m256i high, std::int8_t* out, int used) {
  // The packs work within 128-bit halves; the permutation puts the channels back in order. Nothing
  // saturates.
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

template <int kRows>
PARE_AVX2 inline void rows(const PanelJob& job, std::int64_t first, const Panel& panel,
                           const Finish& finish) {
  const std::int16_t* x = job.rows + first * 2 * job.pairs;
  __m256i sums[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel.bias));
    sums[r][1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel.bias + 8));
  }
  for (std::int64_t p = 0; p < job.pairs; ++p) {
    const auto* w = reinterpret_cast<const __m256i*>(panel.weights + p * kPanel * 2);
    const __m256i w0 = _mm256_loadu_si256(w), w1 = _mm256_loadu_si256(w + 1);
    for (int r = 0; r < kRows; ++r) {
      std::int32_t pair;
      std::memcpy(&pair, x + r * 2 * job.pairs + 2 * p, sizeof pair);
      const __m256i inputs = _mm256_set1_epi32(pair);
      sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(inputs, w0));
      sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(inputs, w1));
    }
  }
  for (int r = 0; r < kRows; ++r) {
    store_codes(finish_codes(sums[r][0], panel, 0, finish),
                finish_codes(sums[r][1], panel, 8, finish), job.out + (first + r) * job.stride,
                job.used);
  }
}

}  // namespace

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

PARE_AVX2 void panel_avx2(const PanelJob& job, const Panel& panel, const Finish& finish) {
  std::int64_t r = 0;
  for (; r + 4 <= job.count; r += 4) rows<4>(job, r, panel, finish);
  if (job.count - r == 3) rows<3>(job, r, panel, finish);
  if (job.count - r == 2) rows<2>(job, r, panel, finish);
  if (job.count - r == 1) rows<1>(job, r, panel, finish);
}

}  // namespace pare::integer

#else

namespace pare::integer {

bool has_avx2() { return false; }
void panel_avx2(const PanelJob& job, const Panel& panel, const Finish& finish) {
  panel_portable(job, panel, finish);
}

}  // namespace pare::integer

#endif
