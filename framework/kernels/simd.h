// Vectors of floats as wide as the processor that we compile for: just what the kernels need, and
// explicit about fused multiply-adds. Only for sources compiled with pare_native
// (cmake/PareTarget.cmake): kLanes differs between targets.
//
// A sum over many values runs in lanes; how many there are decides the order of additions, so
// results may differ between machines, never between runs or thread counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace pare::simd {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr int kLanes = 8;
inline constexpr int kRegisters = 16;
#else
inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 16;
#endif

typedef float Floats __attribute__((vector_size(4 * kLanes)));
using Ints = decltype(Floats{} < Floats{});  // of a comparison: -1 where it holds, 0 elsewhere

inline Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Floats v) { std::memcpy(p, &v, sizeof v); }
inline Floats broadcast(float x) { return x - Floats{}; }  // -0.0f - 0.0f is -0.0f
inline Ints bits_of(Floats v) { return reinterpret_cast<Ints>(v); }
inline Floats magnitude(Floats v) { return reinterpret_cast<Floats>(bits_of(v) & 0x7fffffff); }

// The first n lanes, 0 <= n <= kLanes: masked loads read nothing beyond them and give zeros there.
#if defined(__AVX512F__)
inline Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats floor(Floats v) {  // masked: gcc 12 warns falsely about the plain form
  return _mm512_mask_roundscale_ps(v, 0xffff, v, _MM_FROUND_TO_NEG_INF);
}
inline bool any(Ints condition) {
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(condition)) != 0;
}
using Mask = __mmask16;
inline Mask first_lanes(std::int64_t n) { return static_cast<Mask>((1u << n) - 1); }
inline Floats load(const float* p, Mask mask) { return _mm512_maskz_loadu_ps(mask, p); }
inline void store(float* p, Floats v, Mask mask) { _mm512_mask_storeu_ps(p, mask, v); }
#elif defined(__AVX2__) && defined(__FMA__)
inline Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats floor(Floats v) { return _mm256_floor_ps(v); }
inline bool any(Ints condition) {
  return _mm256_movemask_ps(reinterpret_cast<__m256>(condition)) != 0;
}
struct Mask {
  __m256i lanes;
  bool all;
};
inline Mask first_lanes(std::int64_t n) {
  const __m256i count = _mm256_set1_epi32(static_cast<int>(n));
  return {_mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), n == kLanes};
}
inline Floats load(const float* p, Mask mask) { return _mm256_maskload_ps(p, mask.lanes); }
// A masked store of 8 floats takes a dozen cycles on some processors, and most are of all lanes.
inline void store(float* p, Floats v, Mask mask) {
  if (mask.all) return store(p, v);
  _mm256_maskstore_ps(p, mask.lanes, v);
}
#else
inline Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
inline Floats floor(Floats v) {
  for (int i = 0; i < kLanes; ++i) v[i] = __builtin_floorf(v[i]);
  return v;
}
inline bool any(Ints condition) {
  return (condition[0] | condition[1] | condition[2] | condition[3]) != 0;
}
using Mask = std::int64_t;
inline Mask first_lanes(std::int64_t n) { return n; }
inline Floats load(const float* p, Mask n) {
  if (n == kLanes) return load(p);
  Floats v{};
  std::memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(float));
  return v;
}
inline void store(float* p, Floats v, Mask n) {
  if (n == kLanes) return store(p, v);
  std::memcpy(p, &v, static_cast<std::size_t>(n) * sizeof(float));
}
#endif

// Calls work(first channel, mask) for every vector of channels.
template <class Work>
inline void for_vectors(std::int64_t channels, const Work& work) {
  for (std::int64_t c = 0; c < channels; c += kLanes)
    work(c, first_lanes(std::min<std::int64_t>(kLanes, channels - c)));
}

}  // namespace pare::simd
