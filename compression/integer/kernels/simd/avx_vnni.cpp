// AVX-VNNI: the byte products of AVX-512 VNNI on 256 bits, in processors without AVX-512.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__x86_64__)

#include <cpuid.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,avxvnni")
#endif

#include "compression/integer/kernels/simd/make_set.h"
#include "compression/integer/kernels/simd/ymm.h"

namespace pare::integer {
namespace {

struct AvxVnni : Ymm {
  using Input = __m256i;
  struct Weights {
    __m256i low, high;
  };
  // Twelve accumulators: of eight, a product waits for the one before it.
  static constexpr int rows(int) { return 6; }

  static Weights load_weights(const std::int8_t* p) { return {load_half(p), load_half(p + 32)}; }
  static void unpack(const std::int8_t* p, Weights& even, Weights& odd) {
    unpack_half(p, even.low, odd.low);
    unpack_half(p + 32, even.high, odd.high);
  }
  static Input broadcast(const std::uint8_t* p) { return broadcast_taps(p); }
  template <int kShare>
  static Input broadcast_wide(const std::uint8_t* p) {
    return broadcast_bytes<kShare>(p);
  }
  static Sum dot(Sum sum, Input x, Weights w) {
    add_products(sum.low, x, w.low);
    add_products(sum.high, x, w.high);
    return sum;
  }
  // Counted from the instructions, not measured.
  static constexpr SparseCosts kSparseCosts = {.entry = 6, .fold = 16, .dense = 2};
  static Weights load_windows(const std::int8_t* p) { return load_weights(p); }
  static Sum dot(Sum sum, const Gathered& x, Weights w) {
    add_products(sum.low, x.low, w.low);
    add_products(sum.high, x.high, w.high);
    return sum;
  }

 private:
  // Not the intrinsic, see Zmm::dot.
  static void add_products(__m256i& sum, __m256i x, __m256i w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "xm"(w));
  }
};

constexpr KernelSet kSet = make_kernel_set<AvxVnni>("avx_vnni");

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

// Leaf 7, subleaf 1: bit 4 of eax.
const KernelSet* avx_vnni_kernels() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool vnni = __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1u << 4)) != 0;
  return vnni && __builtin_cpu_supports("avx2") ? &kSet : nullptr;
}

}  // namespace pare::integer

#else

namespace pare::integer {

const KernelSet* avx_vnni_kernels() { return nullptr; }

}  // namespace pare::integer

#endif
