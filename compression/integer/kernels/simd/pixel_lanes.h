// Narrow tiles whose lanes are neighbouring pixels (packed_layer.h): of an image of few channels,
// 16 bytes hold four taps of two or four pixels, each of which goes to the lanes of its pixel. Sums
// need no folding, and a product serves as many pixels. Include behind the target pragma.
//
// An instruction set that has such tiles provides, beside what narrow_tiles.h asks for,
//   pixel_order<kShare>(step)    which bytes a lane gets
//   broadcast_pixels(p, order)   these
//   max_neighbours<kShare>(a, b) of pixels two by two, first those of a
#pragma once

#include <algorithm>
#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/row_blocks.h"
#include "compression/integer/kernels/simd/scaling_forms.h"
#include "compression/integer/kernels/simd/tile_job.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool HasPixelLanes = requires {
  Isa::template pixel_order<2>(std::int64_t{1});
};

// Rows of a job in a group: kShare neighbours in a row of the output, or in both rows of pooled
// windows.
template <int kShare, int kPooled>
inline constexpr int kGroupRows = kShare* kOutputRows<kPooled>;

// sums[g][y] of so many entries, of the taps from x[g][y] on.
template <class Isa, int kGroups, int kHeight>
[[gnu::always_inline]] inline void add_lanes(const std::uint8_t* const (&x)[kGroups][kHeight],
                                             const typename Isa::Input& order,
                                             const std::int32_t* offset, std::int64_t entries,
                                             const std::int8_t* weights,
                                             typename Isa::Sum (&sums)[kGroups][kHeight]) {
  const std::int32_t* const end = offset + entries;
  for (; offset != end; ++offset, weights += kPanel * kEntryTaps) {
    const typename Isa::Weights w = Isa::load_weights(weights);
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 4
      for (int y = 0; y < kHeight; ++y)
        sums[g][y] = Isa::dot(sums[g][y], Isa::broadcast_pixels(x[g][y] + *offset, order), w);
    }
  }
}

// Groups one behind the other, an even number of them or one.
template <class Isa, int kShare, int kPooled, int kGroups, class Scale>
[[gnu::always_inline]] inline void multiply_groups(const TileJob<Isa, Scale, 1>& t,
                                                   const typename Isa::Input& order,
                                                   const typename Isa::Input& stacked_order,
                                                   std::int64_t first) {
  constexpr int kHeight = kOutputRows<kPooled>;
  const std::uint8_t* x[kGroups][kHeight];
  typename Isa::Sum sums[kGroups][kHeight];
  const auto row = [&](int g, int y) __attribute__((always_inline)) {
    return first + g * kGroupRows<kShare, kPooled> + 2 * y;
  };
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 4
    for (int y = 0; y < kHeight; ++y) {
      x[g][y] = t.taps(row(g, y));
      sums[g][y] = Isa::load(t.starts);
    }
  }
  add_lanes<Isa>(x, order, t.offsets, t.entries, t.weights, sums);
  if (t.stacked > 0) {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 4
      for (int y = 0; y < kHeight; ++y) x[g][y] = t.stacked_taps(row(g, y));
    }
    add_lanes<Isa>(x, stacked_order, t.offsets + t.entries, t.stacked,
                   t.weights + t.entries * kPanel * kEntryTaps, sums);
  }
  std::int8_t* out = t.job.out + first / kPooled * t.job.stride;
  const auto store = [&](typename Isa::Sum sum, int pixels) __attribute__((always_inline)) {
    Isa::template store_pixels<kShare>(t.scales[0](sum), t.job.range, out, t.job.stride, t.left,
                                       pixels);
    out += pixels * t.job.stride;
  };
  if constexpr (kPooled == 1) {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) store(sums[g][0], kShare);
  } else {
    constexpr int kTwo = std::min(kGroups, 2);
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; g += kTwo) {
      const typename Isa::Sum a = Isa::max(sums[g][0], sums[g][1]);
      const typename Isa::Sum b = Isa::max(sums[g + kTwo - 1][0], sums[g + kTwo - 1][1]);
      store(Isa::template max_neighbours<kShare>(a, b), kShare / 2 * kTwo);
    }
  }
}

// Such a tile is made only where rows of the output are whole groups.
template <class Isa, int kPooled, int kShare>
inline void multiply_lanes(const MultiplyJob& job, const PackedLayer& layer, const Tile& tile) {
  constexpr int kGroups = 8 / kOutputRows<kPooled>, kRows = kGroupRows<kShare, kPooled>;
  with_scaling<Isa>(layer.lanes.high, job.range, [&]<class Scale>() {
    const TileJob<Isa, Scale, 1> t(job, layer, tile);
    const typename Isa::Input order = Isa::template pixel_order<kShare>(job.step);
    const typename Isa::Input stacked = Isa::template pixel_order<kShare>(kEntryTaps * job.step);
    std::int64_t first = 0;
    for (; first + kGroups * kRows <= job.count; first += kGroups * kRows)
      multiply_groups<Isa, kShare, kPooled, kGroups>(t, order, stacked, first);
    for (; first < job.count; first += kRows)
      multiply_groups<Isa, kShare, kPooled, 1>(t, order, stacked, first);
  });
}

}  // namespace pare::integer
