#include "framework/kernels/finite.h"

#include <algorithm>
#include <atomic>

#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"

namespace pare {

// x - x is 0 where x is finite and NaN elsewhere, and so is the sum of such differences.
bool all_finite(const float* values, std::int64_t size) {
  constexpr std::int64_t kTile = 1 << 15;
  constexpr std::int64_t kStep = 4 * simd::kLanes;
  std::atomic<bool> finite = true;
  parallel_tiles(size, kTile, [&](std::int64_t begin, std::int64_t end) {
    simd::Floats sums[4] = {};
    const auto add = [&](int k, simd::Floats v) { sums[k] += v - v; };
    std::int64_t i = begin;
    for (; i + kStep <= end; i += kStep) {
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) add(k, simd::load(values + i + k * simd::kLanes));
    }
    for (; i < end; i += simd::kLanes) {
      const auto lanes = std::min<std::int64_t>(simd::kLanes, end - i);
      add(0, simd::load(values + i, simd::first_lanes(lanes)));
    }
    const simd::Floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    if (simd::any(sum != 0.0f)) finite = false;
  });
  return finite;
}

}  // namespace pare
