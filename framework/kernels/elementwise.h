// Loops over all elements of a tensor, in parallel and vectorised by the compiler: the body is
// inlined into the loop.
#pragma once

#include <cstdint>

#include "framework/base/parallel.h"

namespace pare {

inline constexpr std::int64_t kElementTile = 16384;  // 64 KB: a few microseconds

// out[i] = f(i)
template <class F>
void write_elements(std::int64_t size, float* out, const F& f) {
  parallel_tiles(size, kElementTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = f(i);
  });
}

// out[i] = beta * out[i] + f(i); beta is 0 (out is not read) or 1.
template <class F>
void write_gradient(std::int64_t size, float* out, float beta, const F& f) {
  if (beta == 0) return write_elements(size, out, f);
  parallel_tiles(size, kElementTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] += f(i);
  });
}

}  // namespace pare
