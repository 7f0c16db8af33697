// AVX2: no product of bytes that is always exact (vpmaddubsw saturates at 16 bits). Where it is
// not, bytes become pairs of 16 bits first, even and odd ones apart, and are multiplied by
// vpmaddwd.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#include "compression/integer/kernels/simd/make_set.h"
#include "compression/integer/kernels/simd/winograd_ymm.h"
#include "compression/integer/kernels/simd/ymm.h"

namespace pare::integer {
namespace {

struct Avx2 : Ymm {
  // The taps 0 and 1, and the taps 2 and 3.
  struct Input {
    __m256i first, second;
  };
  struct Weights {
    __m256i low_first, low_second, high_first, high_second;
  };
  struct Small {
    __m256i low, high;
  };
  static constexpr int rows(int) { return 4; }

  static Small load_small(const std::int8_t* p) { return {load_half(p), load_half(p + 32)}; }
  static void unpack(const std::int8_t* p, Small& even, Small& odd) {
    unpack_half(p, even.low, odd.low);
    unpack_half(p + 32, even.high, odd.high);
  }
  template <int kShare>
  static Small multiply_small(const std::uint8_t* x, Small w) {
    const __m256i taps = broadcast_bytes<kShare>(x);
    return {_mm256_maddubs_epi16(taps, w.low), _mm256_maddubs_epi16(taps, w.high)};
  }
  static Small zero_small() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Small add_small(Small a, Small b) {
    return {_mm256_add_epi16(a.low, b.low), _mm256_add_epi16(a.high, b.high)};
  }
  static Sum add_pairs(Sum sum, Small pairs) {
    const __m256i ones = _mm256_set1_epi16(1);
    return add(sum, {_mm256_madd_epi16(pairs.low, ones), _mm256_madd_epi16(pairs.high, ones)});
  }

  static __m256i widen_words(const std::int8_t* p) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Weights load_weights(const std::int8_t* p) {
    return {widen_words(p), widen_words(p + 16), widen_words(p + 32), widen_words(p + 48)};
  }
  // Two of the four bytes of each lane, as words.
  template <int kTap>
  static __m256i words_of(__m256i taps) {
    return _mm256_shuffle_epi8(
        taps, _mm256_broadcastsi128_si256(_mm_setr_epi8(kTap, -1, kTap + 1, -1, kTap + 4, -1,
                                                        kTap + 5, -1, kTap + 8, -1, kTap + 9, -1,
                                                        kTap + 12, -1, kTap + 13, -1)));
  }
  template <int kShare>
  static Input broadcast_wide(const std::uint8_t* p) {
    const __m256i taps = broadcast_bytes<kShare>(p);
    return {words_of<0>(taps), words_of<2>(taps)};
  }
  static Input broadcast(const std::uint8_t* p) { return broadcast_wide<1>(p); }
  // Two products of at most 255 * 127 each, twice: far below 2^31.
  static __m256i dot_half(__m256i sum, Input x, __m256i first, __m256i second) {
    return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(x.first, first),
                                                  _mm256_madd_epi16(x.second, second)));
  }
  // The ones of each nibble are looked up; those of four bytes are added by products with 1.
  static __m256i count_ones(__m256i v) {
    const __m256i table =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i bytes =
        _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
    return _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1)),
                             _mm256_set1_epi16(1));
  }
  static Sum add_ones(Sum sum, const std::uint8_t* x, const std::uint32_t* w) {
    const __m256i taps = broadcast_taps(x);
    return add(sum, {count_ones(_mm256_and_si256(taps, load_half(w))),
                     count_ones(_mm256_and_si256(taps, load_half(w + 8)))});
  }
  static Sum dot(Sum sum, Input x, const Weights& w) {
    return {dot_half(sum.low, x, w.low_first, w.low_second),
            dot_half(sum.high, x, w.high_first, w.high_second)};
  }
  static constexpr SparseCosts kSparseCosts = {.entry = 5, .fold = 30, .dense = 3};
  static Small load_windows(const std::int8_t* p) { return load_small(p); }
  static Sum dot(Sum sum, const Gathered& x, Small w) {
    return add_pairs(sum,
                     {_mm256_maddubs_epi16(x.low, w.low), _mm256_maddubs_epi16(x.high, w.high)});
  }
};

// For one row whose image is made of words too: more, and words are too many for the cache. A type
// of its own: loops for both would not find the registers that each has alone.
struct Avx2Words : Avx2 {
  static __m256i broadcast_pair(const std::int16_t* p) {
    std::int32_t pair;
    std::memcpy(&pair, p, sizeof pair);
    return _mm256_set1_epi32(pair);
  }
  // One pair of taps after the other, so that eight sums, two weights and a pair fit the registers.
  template <int kRows>
  static void add_words(const std::int16_t* const (&x)[kRows], std::int32_t offset,
                        const std::int8_t* w, Sum (&sums)[kRows]) {
#pragma GCC unroll 2
    for (int pair = 0; pair < 2; ++pair) {
      const __m256i low = widen_words(w + 16 * pair), high = widen_words(w + 16 * pair + 32);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const __m256i taps = broadcast_pair(x[r] + offset + 2 * pair);
        sums[r].low = _mm256_add_epi32(sums[r].low, _mm256_madd_epi16(taps, low));
        sums[r].high = _mm256_add_epi32(sums[r].high, _mm256_madd_epi16(taps, high));
        // Or compilers add up both pairs first, for which there are no registers.
        asm("" : "+x"(sums[r].low), "+x"(sums[r].high));
      }
    }
  }
};

void multiply(const MultiplyJob& job, const PackedLayer& layer) {
  (job.words ? multiply_tiles<Avx2Words, 1> : multiply_tiles<Avx2, 1>)(job, layer);
}

constexpr KernelSet avx2_set() {
  KernelSet set = make_kernel_set<Avx2>("avx2");
  set.multiply = multiply;
  set.winograd = {multiply_winograd<1>,
                  multiply_winograd<4>,
                  {.entry = 6, .small = 3, .input = 4, .panel = 50}};
  return set;
}
constexpr KernelSet kSet = avx2_set();

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const KernelSet* avx2_kernels() { return __builtin_cpu_supports("avx2") ? &kSet : nullptr; }

}  // namespace pare::integer

#else

namespace pare::integer {

const KernelSet* avx2_kernels() { return nullptr; }

}  // namespace pare::integer

#endif
