// AVX-512 with VNNI: 64 products of unsigned and signed bytes in one instruction, 32 registers.
#include <algorithm>
#include <bit>
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
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#endif

#include "compression/integer/kernels/simd/make_set.h"
#include "compression/integer/kernels/simd/zmm.h"

namespace pare::integer {
namespace {

constexpr KernelSet kSet = make_kernel_set<Zmm>("avx512_vnni");

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
  if (!usable) return nullptr;
  static const KernelSet set = [] {
    KernelSet all = kSet;
    all.bits = avx512_bit_kernels();
    return all;
  }();
  return &set;
}

}  // namespace pare::integer

#else

namespace pare::integer {

const KernelSet* avx512_vnni_kernels() { return nullptr; }

}  // namespace pare::integer

#endif
