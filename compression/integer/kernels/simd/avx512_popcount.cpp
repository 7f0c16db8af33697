// Products of bits by VPOPCNTDQ, which AVX-512 processors got after VNNI: 512 of them in three
// instructions.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vpopcntdq"))), \
    apply_to = function)
#else
// False alarms inside gcc 12's own header (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vpopcntdq")
#endif

#include "compression/integer/kernels/simd/bit_tiles.h"
#include "compression/integer/kernels/simd/zmm.h"

namespace pare::integer {
namespace {

struct Counting : Zmm {
  static Sum add_ones(Sum sum, const std::uint8_t* x, const std::uint32_t* w) {
    const __m512i both = _mm512_and_si512(broadcast(x), _mm512_load_si512(w));
    return _mm512_add_epi32(sum, _mm512_popcnt_epi32(both));
  }
};

constexpr BitKernels kKernels = {multiply_bits<Counting, 1>, multiply_bits<Counting, 4>};

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

BitKernels avx512_bit_kernels() {
  return __builtin_cpu_supports("avx512vpopcntdq") ? kKernels : BitKernels{};
}

}  // namespace pare::integer

#else

namespace pare::integer {

BitKernels avx512_bit_kernels() { return {}; }

}  // namespace pare::integer

#endif
