// What the files of AVX-512 share: 16 accumulators in one register, products of bytes by VNNI, and
// requantization. Include behind the target pragma.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/scaling.h"
#include "compression/integer/kernels/simd/pair_adder.h"
#include "compression/integer/kernels/sparse_layer.h"

namespace pare::integer {
namespace {

// For pair_adder.h.
struct ZmmPairs {
  using Vector = __m512i;
  static Vector load(const std::int8_t* p) { return _mm512_loadu_si512(p); }
  static void store(Vector v, std::int8_t* p) { _mm512_storeu_si512(p, v); }
  static Vector fill_bytes(std::int32_t b) { return _mm512_set1_epi8(static_cast<char>(b)); }
  static Vector fill_lanes(std::int32_t lane) { return _mm512_set1_epi32(lane); }
  static Vector low_bytes(Vector a, Vector b) { return _mm512_unpacklo_epi8(a, b); }
  static Vector high_bytes(Vector a, Vector b) { return _mm512_unpackhi_epi8(a, b); }
  static Vector low_words(Vector a, Vector b) { return _mm512_unpacklo_epi16(a, b); }
  static Vector high_words(Vector a, Vector b) { return _mm512_unpackhi_epi16(a, b); }
  static Vector words_right(Vector v, int count) { return _mm512_srai_epi16(v, count); }
  static Vector right(Vector v, __m128i count) { return _mm512_sra_epi32(v, count); }
  static Vector multiply(Vector a, Vector b) { return _mm512_madd_epi16(a, b); }
  static Vector multiply_add(Vector sum, Vector a, Vector b) {
    return _mm512_dpwssd_epi32(sum, a, b);
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector pack_lanes(Vector a, Vector b) { return _mm512_packs_epi32(a, b); }
  static Vector pack_words(Vector a, Vector b) { return _mm512_packs_epi16(a, b); }
  static Vector max_bytes(Vector a, Vector b) { return _mm512_max_epi8(a, b); }
  static Vector min_bytes(Vector a, Vector b) { return _mm512_min_epi8(a, b); }
};

struct Zmm {
  using Sum = __m512i;
  using Input = __m512i;
  using Weights = __m512i;
  static constexpr std::int32_t kInputOffset = 128;
  static constexpr int kSumRegisters = 1;
  static constexpr int kMaxPanels = 4;
  static constexpr int kRunPixels = 16;
  static constexpr int rows(int panels) { return panels <= 2 ? 8 : 4; }

  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum load(const std::int32_t* p) { return _mm512_load_si512(p); }
  static Weights load_weights(const std::int8_t* p) { return _mm512_load_si512(p); }
  // Nibbles through a table of their values.
  static void unpack(const std::int8_t* p, Weights& even, Weights& odd) {
    const __m512i values = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
    const __m512i low = _mm512_set1_epi8(15), bytes = _mm512_load_si512(p);
    even = _mm512_shuffle_epi8(values, _mm512_and_si512(bytes, low));
    odd = _mm512_shuffle_epi8(values, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low));
  }
  static Input broadcast(const std::uint8_t* p) {
    std::int32_t taps;
    std::memcpy(&taps, p, sizeof taps);
    return _mm512_set1_epi32(taps);
  }
  template <int kShare>
  static Input broadcast_wide(const std::uint8_t* p) {
    if constexpr (kShare == 2) {
      std::int64_t taps;
      std::memcpy(&taps, p, sizeof taps);
      return _mm512_set1_epi64(taps);
    } else {
      return _mm512_broadcast_i32x4(load_bytes(p));
    }
  }
  // Not the intrinsic: gcc 12 copies every accumulator before it and back behind it, and spills
  // some.
  static Sum dot(Sum sum, Input input, Weights w) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(input), "v"(w));
    return sum;
  }
  static Sum add(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
  static Sum max(Sum a, Sum b) { return _mm512_max_epi32(a, b); }

  static Sum widen(const std::int8_t* codes) { return _mm512_cvtepi8_epi32(load_bytes(codes)); }
  static Sum widen(const std::uint8_t* bytes) { return _mm512_cvtepu8_epi32(load_bytes(bytes)); }
  static Sum fill(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Sum shift_left(Sum a, int count) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(count)); }
  // Lanes of 16 bits, sign extended on the left, zero extended on the right.
  static Sum multiply(Sum a, Sum b) { return _mm512_madd_epi16(a, b); }

  using PairAdder = integer::PairAdder<ZmmPairs>;

  // Eight 64-bit lanes: the even channels, or the odd ones, whose sums the caller has shifted to
  // the low halves.
  struct HalfScaling {
    __m512i value, nudge, correction, right;
    HalfScaling(const PanelScaling& s, int first)
        : value(_mm512_load_si512(s.value + first)),
          nudge(_mm512_load_si512(s.nudge + first)),
          correction(_mm512_load_si512(s.correction + first)),
          right(_mm512_load_si512(s.right + first)) {}
    template <bool kCorrected>
    __m512i nudged(__m512i sums) const {
      const __m512i product = _mm512_mul_epi32(sums, value);
      const __m512i sum = _mm512_add_epi64(product, nudge);
      if constexpr (!kCorrected) return sum;
      return _mm512_mask_sub_epi64(sum, _mm512_movepi64_mask(product), sum, correction);
    }
    __m512i operator()(__m512i sums) const { return _mm512_srav_epi64(nudged<true>(sums), right); }
  };
  struct AnyScaling {
    HalfScaling even, odd;
    explicit AnyScaling(const PanelScaling& s) : even(s, 0), odd(s, kPanel / 2) {}
    Sum operator()(Sum sum) const {
      return _mm512_mask_blend_epi32(0xAAAA, even(sum),
                                     _mm512_slli_epi64(odd(_mm512_srli_epi64(sum, 32)), 32));
    }
  };
  // Results of right >= 32 are products shifted by that much: below 2^30.
  struct Shifted {
    __m512i lanes;
    operator Sum() const { return lanes; }
  };
  // With fewer shifts of 64 bits: the high halves of the sums, shifted as 32 bits.
  template <bool kCorrected>
  struct HighHalves {
    HalfScaling even, odd;
    __m512i right;
    explicit HighHalves(const PanelScaling& s)
        : even(s, 0), odd(s, kPanel / 2), right(_mm512_load_si512(s.high_right)) {}
    Shifted operator()(Sum sum) const {
      const __m512i low = even.template nudged<kCorrected>(sum);
      const __m512i high = odd.template nudged<kCorrected>(_mm512_srli_epi64(sum, 32));
      // Even lanes from the odd lanes of `low`.
      const __m512i halves = _mm512_mask_shuffle_epi32(high, 0x5555, low, _MM_PERM_DDBB);
      return {_mm512_srav_epi32(halves, right)};
    }
  };
  using HighScaling = HighHalves<true>;
  using PositiveScaling = HighHalves<false>;

  static __m128i codes(Sum scaled, const CodeRange& range) {
    scaled = _mm512_max_epi32(scaled, fill(range.low - range.zero_point));
    scaled = _mm512_min_epi32(scaled, fill(range.high - range.zero_point));
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(scaled, fill(range.zero_point)));
  }
  // To bytes first, which saturates: then they are clamped in a quarter of the width.
  static __m128i codes(Shifted scaled, const CodeRange& range) {
    const __m128i bytes = _mm512_cvtsepi32_epi8(add(scaled.lanes, fill(range.zero_point)));
    return _mm_min_epi8(_mm_max_epi8(bytes, _mm_set1_epi8(static_cast<char>(range.low))),
                        _mm_set1_epi8(static_cast<char>(range.high)));
  }
  static void store(auto scaled, const CodeRange& range, std::int8_t* out, int used) {
    const __m128i bytes = codes(scaled, range);
    if (used == kPanel) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    } else {
      _mm_mask_storeu_epi8(out, static_cast<__mmask16>((1u << used) - 1), bytes);
    }
  }
  // The packs work within 128 bits: these hold four channels of each row. They saturate, which a
  // range of codes does not see.
  static void store_four(const auto(&scaled)[4], const CodeRange& range, std::int8_t* out,
                         std::int64_t stride, int used) {
    const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(range.zero_point));
    const auto words = [&](Sum a, Sum b) {
      return _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero_point);
    };
    __m512i bytes = _mm512_packs_epi16(words(scaled[0], scaled[1]), words(scaled[2], scaled[3]));
    bytes = _mm512_max_epi8(bytes, _mm512_set1_epi8(static_cast<char>(range.low)));
    bytes = _mm512_min_epi8(bytes, _mm512_set1_epi8(static_cast<char>(range.high)));
    bytes = _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), bytes);
    if (stride == kPanel && used == kPanel) return _mm512_storeu_si512(out, bytes);
    const auto mask = static_cast<__mmask16>((1u << used) - 1);
    _mm_mask_storeu_epi8(out, mask, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi8(out + stride, mask, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi8(out + 2 * stride, mask, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi8(out + 3 * stride, mask, _mm512_extracti32x4_epi32(bytes, 3));
  }

  static constexpr SparseCosts kSparseCosts = {.entry = 5, .fold = 16, .dense = 1};
  static Weights load_windows(const std::int8_t* p) { return load_weights(p); }
  static Input gather(const std::uint8_t* x, const std::int32_t* offsets) {
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(load_bytes(x + offsets[0])),
                                                load_bytes(x + offsets[1]), 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(load_bytes(x + offsets[2])),
                                                 load_bytes(x + offsets[3]), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  static Sum permute(Sum sum, const std::int32_t* order) {
    return _mm512_permutexvar_epi32(load(order), sum);
  }
  static Sum fold(const Sum (&s)[2]) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return add(_mm512_permutex2var_epi32(s[0], even, s[1]),
               _mm512_permutex2var_epi32(s[0], add(even, fill(1)), s[1]));
  }
  // Each 128 bits hold the four lanes of a channel. Adding halves of pairs of pixels twice leaves
  // one lane per pixel there, and the permutation puts the pixels one after another.
  static Sum fold(const Sum (&s)[4]) {
    const __m512i ab = add(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
    const __m512i cd = add(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        add(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd)));
  }
  // For each lane of kShare pixels the four bytes that lie so many steps behind the first pixel's.
  template <int kShare>
  static __m512i pixel_order(std::int64_t step) {
    alignas(64) std::int8_t order[64];
    for (int i = 0; i < 64; ++i) {
      const int pixel = i / kEntryTaps / (kPanel / kShare);
      order[i] = static_cast<std::int8_t>(pixel * step + i % kEntryTaps);
    }
    return _mm512_load_si512(order);
  }
  static Input broadcast_pixels(const std::uint8_t* p, __m512i order) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(load_bytes(p)), order);
  }
  // Of each two neighbours the larger one: those of a, then those of b.
  template <int kShare>
  static Sum max_neighbours(Sum a, Sum b) {
    if constexpr (kShare == 2)
      return max(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
    return max(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
  }
  // The mask moves with the pixel, so that the bytes need not: each store starts as far before the
  // pixel as its codes lie behind the first byte.
  template <int kShare>
  static void store_pixels(auto scaled, const CodeRange& range, std::int8_t* out,
                           std::int64_t stride, int used, std::int64_t pixels) {
    constexpr int kChannels = kPanel / kShare;
    const __m128i bytes = codes(scaled, range);
    if (used == kChannels && stride == kChannels && pixels >= kShare) {
      return _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    }
    unsigned mask = (1u << used) - 1;
    for (std::int64_t p = 0; p < std::min<std::int64_t>(pixels, kShare); ++p, mask <<= kChannels) {
      _mm_mask_storeu_epi8(out + p * (stride - kChannels), static_cast<__mmask16>(mask), bytes);
    }
  }

 private:
  static __m128i load_bytes(const void* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
  }
};

}  // namespace
}  // namespace pare::integer
