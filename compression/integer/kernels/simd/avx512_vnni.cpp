// AVX-512 with VNNI: 64 products of unsigned and signed bytes in one instruction, 32 registers.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__x86_64__)

#include <immintrin.h>

// False alarms inside gcc 12's own header (its bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#endif

#include "compression/integer/kernels/simd/make_set.h"

namespace pare::integer {
namespace {

struct Avx512Vnni {
  using Sum = __m512i;
  using Input = __m512i;
  using Weights = __m512i;
  static constexpr std::int32_t kInputOffset = 128;
  static constexpr int kMaxPanels = 4;
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
  static Sum dot(Sum sum, Input input, Weights w) { return _mm512_dpbusd_epi32(sum, input, w); }
  static Sum add(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
  static Sum max(Sum a, Sum b) { return _mm512_max_epi32(a, b); }

  static Sum widen(const std::int8_t* codes) { return _mm512_cvtepi8_epi32(load_bytes(codes)); }
  static Sum widen(const std::uint8_t* bytes) { return _mm512_cvtepu8_epi32(load_bytes(bytes)); }
  static Sum fill(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Sum shift_left(Sum a, int count) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(count)); }
  // Lanes of 16 bits, sign extended on the left, zero extended on the right.
  static Sum multiply(Sum a, Sum b) { return _mm512_madd_epi16(a, b); }

  static Sum scale(Sum sum, const PanelScaling& scaling) {
    const __m512i even = scale_half(sum, scaling, 0);
    const __m512i odd = scale_half(_mm512_srli_epi64(sum, 32), scaling, kPanel / 2);
    return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  }

  // Clamping before the zero point is added cannot overflow.
  static void store(Sum scaled, const CodeRange& range, std::int8_t* out, int used) {
    scaled = _mm512_max_epi32(scaled, fill(range.low - range.zero_point));
    scaled = _mm512_min_epi32(scaled, fill(range.high - range.zero_point));
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(scaled, fill(range.zero_point)));
    if (used == kPanel) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    } else {
      _mm_mask_storeu_epi8(out, static_cast<__mmask16>((1u << used) - 1), bytes);
    }
  }

 private:
  static __m128i load_bytes(const void* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
  }

  // Eight 64-bit lanes, from the low halves of `sums`.
  static __m512i scale_half(__m512i sums, const PanelScaling& s, int first) {
    const auto load64 = [first](const std::int64_t* p) { return _mm512_load_si512(p + first); };
    const __m512i product = _mm512_mul_epi32(sums, load64(s.value));
    const __m512i nudged = _mm512_add_epi64(product, load64(s.nudge));
    const __m512i corrected =
        _mm512_mask_sub_epi64(nudged, _mm512_movepi64_mask(product), nudged, load64(s.correction));
    return _mm512_srav_epi64(corrected, load64(s.right));
  }
};

constexpr KernelSet kSet = make_kernel_set<Avx512Vnni>("avx512_vnni");

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const KernelSet* avx512_vnni_kernels() {
  const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
  return usable ? &kSet : nullptr;
}

}  // namespace pare::integer

#else

namespace pare::integer {

const KernelSet* avx512_vnni_kernels() { return nullptr; }

}  // namespace pare::integer

#endif
