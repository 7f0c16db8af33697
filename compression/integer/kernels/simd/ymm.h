// What AVX2 and AVX-VNNI share: 16 accumulators in two 256-bit registers, and requantization, for
// which these instruction sets have the same instructions. Include behind the target pragma.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/scaling.h"
#include "compression/integer/kernels/simd/pair_adder.h"
#include "compression/integer/kernels/sparse_layer.h"

namespace pare::integer {
namespace {

// For pair_adder.h.
struct YmmPairs {
  using Vector = __m256i;
  static Vector load(const std::int8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(Vector v, std::int8_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static Vector fill_bytes(std::int32_t b) { return _mm256_set1_epi8(static_cast<char>(b)); }
  static Vector fill_lanes(std::int32_t lane) { return _mm256_set1_epi32(lane); }
  static Vector low_bytes(Vector a, Vector b) { return _mm256_unpacklo_epi8(a, b); }
  static Vector high_bytes(Vector a, Vector b) { return _mm256_unpackhi_epi8(a, b); }
  static Vector low_words(Vector a, Vector b) { return _mm256_unpacklo_epi16(a, b); }
  static Vector high_words(Vector a, Vector b) { return _mm256_unpackhi_epi16(a, b); }
  static Vector words_right(Vector v, int count) { return _mm256_srai_epi16(v, count); }
  static Vector right(Vector v, __m128i count) { return _mm256_sra_epi32(v, count); }
  static Vector multiply(Vector a, Vector b) { return _mm256_madd_epi16(a, b); }
  static Vector multiply_add(Vector sum, Vector a, Vector b) { return add(sum, multiply(a, b)); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector pack_lanes(Vector a, Vector b) { return _mm256_packs_epi32(a, b); }
  static Vector pack_words(Vector a, Vector b) { return _mm256_packs_epi16(a, b); }
  static Vector max_bytes(Vector a, Vector b) { return _mm256_max_epi8(a, b); }
  static Vector min_bytes(Vector a, Vector b) { return _mm256_min_epi8(a, b); }
};

struct Ymm {
  struct Sum {
    __m256i low, high;
  };
  static constexpr std::int32_t kInputOffset = 128;
  static constexpr int kSumRegisters = 2;
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
  template <int kShare>
  static __m256i broadcast_bytes(const std::uint8_t* p) {
    if constexpr (kShare == 1) return broadcast_taps(p);
    if constexpr (kShare == 2) {
      std::int64_t taps;
      std::memcpy(&taps, p, sizeof taps);
      return _mm256_set1_epi64x(taps);
    }
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  // 32 bytes of nibbles, half of those of two entries.
  static void unpack_half(const std::int8_t* p, __m256i& even, __m256i& odd) {
    const __m256i values = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
    const __m256i low = _mm256_set1_epi8(15), bytes = load_half(p);
    even = _mm256_shuffle_epi8(values, _mm256_and_si256(bytes, low));
    odd = _mm256_shuffle_epi8(values, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low));
  }
  static Sum add(Sum a, Sum b) {
    return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
  }
  static Sum max(Sum a, Sum b) {
    return {_mm256_max_epi32(a.low, b.low), _mm256_max_epi32(a.high, b.high)};
  }

  static Sum fold(const Sum (&s)[2]) { return {fold_pairs(s[0]), fold_pairs(s[1])}; }
  static Sum fold(const Sum (&s)[4]) { return {fold_fours(s[0], s[1]), fold_fours(s[2], s[3])}; }
  // Of two windows each.
  struct Gathered {
    __m256i low, high;
  };
  static Gathered gather(const std::uint8_t* x, const std::int32_t* offsets) {
    return {gather_half(x, offsets), gather_half(x, offsets + 2)};
  }
  static Sum permute(const Sum& sum, const std::int32_t* order) {
    return {permute_half(sum, load_half(order)), permute_half(sum, load_half(order + 8))};
  }
  // The first `used` channels of the first `pixels` ones.
  template <int kShare>
  static void store_pixels(const auto& scaled, const CodeRange& range, std::int8_t* out,
                           std::int64_t stride, int used, std::int64_t pixels) {
    alignas(16) std::int8_t whole[kPanel];
    store(scaled, range, whole, kPanel);
    for (int p = 0; p < kShare && p < pixels; ++p)
      std::memcpy(out + p * stride, whole + p * kPanel / kShare, static_cast<std::size_t>(used));
  }

  static Sum widen(const std::int8_t* codes) {
    return {_mm256_cvtepi8_epi32(load_bytes(codes)), _mm256_cvtepi8_epi32(load_bytes(codes + 8))};
  }
  static Sum widen(const std::uint8_t* bytes) {
    return {_mm256_cvtepu8_epi32(load_bytes(bytes)), _mm256_cvtepu8_epi32(load_bytes(bytes + 8))};
  }
  static Sum fill(std::int32_t value) {
    return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)};
  }
  static Sum shift_left(Sum a, int count) {
    const __m128i by = _mm_cvtsi32_si128(count);
    return {_mm256_sll_epi32(a.low, by), _mm256_sll_epi32(a.high, by)};
  }
  // Lanes of 16 bits, sign extended on the left, zero extended on the right.
  static Sum multiply(Sum a, Sum b) {
    return {_mm256_madd_epi16(a.low, b.low), _mm256_madd_epi16(a.high, b.high)};
  }

  using PairAdder = integer::PairAdder<YmmPairs>;

  using AnyScaling = ScalingInMemory<Ymm>;
  static Sum scale(Sum sum, const PanelScaling& scaling) {
    return {scale_half(sum.low, scaling, 0), scale_half(sum.high, scaling, 4)};
  }
  // Results of right >= 32 are products shifted by that much: below 2^30.
  struct Shifted {
    Sum sum;
    operator Sum() const { return sum; }
  };
  // Without variable shifts of 64 bits: the high halves of the sums, shifted as 32 bits.
  template <bool kCorrected>
  struct HighHalves {
    const PanelScaling& panel;
    explicit HighHalves(const PanelScaling& s) : panel(s) {}
    [[gnu::always_inline]] Shifted operator()(const Sum& sum) const {
      return {
          {high_half<kCorrected>(sum.low, panel, 0), high_half<kCorrected>(sum.high, panel, 4)}};
    }
  };
  using HighScaling = HighHalves<true>;
  using PositiveScaling = HighHalves<false>;

  [[gnu::always_inline]] static __m128i codes(const Sum& scaled, const CodeRange& range) {
    return bytes_of(clamp(scaled.low, range), clamp(scaled.high, range));
  }
  // To bytes first, which saturates: then they are clamped in a quarter of the width.
  [[gnu::always_inline]] static __m128i codes(const Shifted& scaled, const CodeRange& range) {
    const __m256i zero_point = _mm256_set1_epi32(range.zero_point);
    const __m128i bytes = bytes_of(_mm256_add_epi32(scaled.sum.low, zero_point),
                                   _mm256_add_epi32(scaled.sum.high, zero_point));
    return _mm_min_epi8(_mm_max_epi8(bytes, _mm_set1_epi8(static_cast<char>(range.low))),
                        _mm_set1_epi8(static_cast<char>(range.high)));
  }
  [[gnu::always_inline]] static void store(const auto& scaled, const CodeRange& range,
                                           std::int8_t* out, int used) {
    const __m128i bytes = codes(scaled, range);
    if (used == kPanel) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
      return;
    }
    alignas(16) std::int8_t whole[kPanel];
    _mm_store_si128(reinterpret_cast<__m128i*>(whole), bytes);
    std::memcpy(out, whole, static_cast<std::size_t>(used));
  }

 private:
  static __m256i gather_half(const std::uint8_t* x, const std::int32_t* offsets) {
    const auto at = [x](std::int32_t offset) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + offset));
    };
    return _mm256_inserti128_si256(_mm256_castsi128_si256(at(offsets[0])), at(offsets[1]), 1);
  }
  // A permutation looks at three bits of an index; the fourth says of which half.
  static __m256i permute_half(const Sum& sum, __m256i order) {
    const __m256i high = _mm256_cmpgt_epi32(order, _mm256_set1_epi32(7));
    return _mm256_blendv_epi8(_mm256_permutevar8x32_epi32(sum.low, order),
                              _mm256_permutevar8x32_epi32(sum.high, order), high);
  }
  // Neighbouring lanes are added within 128 bits; permutations put the channels in order: the eight
  // of a pixel, and twice the four of one.
  static __m256i fold_pairs(const Sum& sum) {
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum.low, sum.high), 0xD8);
  }
  static __m256i fold_fours(const Sum& a, const Sum& b) {
    const __m256i both =
        _mm256_hadd_epi32(_mm256_hadd_epi32(a.low, a.high), _mm256_hadd_epi32(b.low, b.high));
    return _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }

  static __m128i load_bytes(const void* p) {
    return _mm_loadl_epi64(static_cast<const __m128i*>(p));
  }

  // Clamping before the zero point is added cannot overflow.
  static __m256i clamp(__m256i code, const CodeRange& range) {
    code = _mm256_max_epi32(code, _mm256_set1_epi32(range.low - range.zero_point));
    code = _mm256_min_epi32(code, _mm256_set1_epi32(range.high - range.zero_point));
    return _mm256_add_epi32(code, _mm256_set1_epi32(range.zero_point));
  }

  // The packs work within 128-bit halves; the permutation puts the channels back in order.
  [[gnu::always_inline]] static __m128i bytes_of(__m256i low, __m256i high) {
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }

  // Eight channels; `first`: slot of their first even one.
  template <bool kCorrected>
  [[gnu::always_inline]] static __m256i high_half(__m256i sums, const PanelScaling& s, int first) {
    const __m256i even = nudged<kCorrected>(sums, s, first);
    const __m256i odd = nudged<kCorrected>(_mm256_srli_epi64(sums, 32), s, first + kPanel / 2);
    return _mm256_srav_epi32(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA),
                             load_half(s.high_right + 2 * first));
  }
  // The correction is 0 or 2^(31 - f): that bit of the high half is the product's sign. For a sum
  // without the last f bits of an accumulator is below 2^(31 - f), and the product 2^31 times that.
  template <bool kCorrected>
  [[gnu::always_inline]] static __m256i nudged(__m256i sums, const PanelScaling& s, int first) {
    const __m256i product = _mm256_mul_epi32(sums, load_half(s.value + first));
    const __m256i sum = _mm256_add_epi64(product, load_half(s.nudge + first));
    if constexpr (!kCorrected) return sum;
    return _mm256_sub_epi64(
        sum, _mm256_and_si256(_mm256_srli_epi64(product, 32), load_half(s.correction + first)));
  }
  // Eight channels with any `right`.
  static __m256i scale_half(__m256i sums, const PanelScaling& scaling, int first) {
    const __m256i even = scale_quarter(sums, scaling, first);
    const __m256i odd = scale_quarter(_mm256_srli_epi64(sums, 32), scaling, first + kPanel / 2);
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  }

  // Four 64-bit lanes. There is no arithmetic shift of 64 bits before AVX-512: 2^62 makes the sum
  // positive (products are above -2^62), and 2^62 >> right takes it away again afterwards.
  static __m256i scale_quarter(__m256i sums, const PanelScaling& s, int first) {
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
};

}  // namespace
}  // namespace pare::integer
