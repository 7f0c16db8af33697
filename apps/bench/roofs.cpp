// What the processor can do at all.
#include <algorithm>

#include "apps/bench/kernel_rows.h"
#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"

namespace pare::bench {
namespace {

// Twelve independent chains of multiply-adds: enough to hide the latency of each.
constexpr int kChains = 12;
constexpr int kLinks = 4096;
constexpr std::int64_t kParts = 16;

float chains(float start) {
  simd::Floats sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = simd::broadcast(start + static_cast<float>(i));
  const simd::Floats factor = simd::broadcast(0.999f), term = simd::broadcast(0.001f);
  for (int link = 0; link < kLinks; ++link) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = simd::fma(sums[i], factor, term);
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sums[i][0];
  return total;
}

KernelRow multiply_adds() {
  ArrayKernel kernel{.name = "roof: multiply-adds",
                     .bound = Bound::arithmetic,
                     .flops = 2.0 * kChains * kLinks * simd::kLanes * kParts,
                     .reads = {{kParts}},
                     .writes = {{kParts}},
                     .call = nullptr};
  kernel.call = [](const std::vector<Tensor>& in, std::vector<Tensor>& out) {
    const float* from = in[0].data();
    float* to = out[0].mutable_data();
    parallel_for(kParts, [=](std::int64_t i) { to[i] = chains(from[i]); });
  };
  return array_row(kernel);
}

KernelRow copy(const std::string& size, std::int64_t floats) {
  ArrayKernel kernel{.name = "roof: copy of " + size,
                     .bound = Bound::memory,
                     .reads = {{floats}},
                     .writes = {{floats}},
                     .call = nullptr};
  kernel.call = [floats](const std::vector<Tensor>& in, std::vector<Tensor>& out) {
    const float* from = in[0].data();
    float* to = out[0].mutable_data();
    parallel_tiles(floats, 16384, [=](std::int64_t begin, std::int64_t end) {
      std::copy(from + begin, from + end, to + begin);
    });
  };
  return array_row(kernel);
}

}  // namespace

// Copies, with what they write, in a core's own cache, in the one that cores share, in none.
Rows roof_rows() {
  return {multiply_adds(), copy("256 KB", 1 << 16), copy("4 MB", 1 << 20), copy("64 MB", 1 << 24)};
}

}  // namespace pare::bench
