// Products with windows of weights (sparse_layer.h), four output pixels at a time. Include behind
// the target pragma.
//
// An instruction set that has them provides, beside what multiply_tiles.h asks for,
//   gather(x, offsets)   16 bytes of the image from each of four places
//   fold(sums)           of four quads: lane 4 * quad + channel
//   permute(sum, order)  lane c from lane order[c]
#pragma once

#include <algorithm>
#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/row_blocks.h"
#include "compression/integer/kernels/simd/scaling_forms.h"

namespace pare::integer {

template <class Isa>
inline constexpr bool GathersWindows = requires(const std::uint8_t* x,
                                                const std::int32_t* offsets) {
  Isa::gather(x, offsets);
};

template <class Isa, class Scale, int kRows, int kPooled>
inline void multiply_sparse_rows(const MultiplyJob& job, const SparseLayer& layer,
                                 std::int64_t first) {
  using Sum = typename Isa::Sum;
  const std::uint8_t* x[kRows];
  for (int r = 0; r < kRows; ++r) x[r] = job.image + job.rows[first + r];
  const SparseLayer::Quad* quad = layer.quads.data();
  for (std::int64_t channel = 0; channel < layer.outputs; channel += kPanel) {
    Sum sums[kRows][kQuad];
#pragma GCC unroll 4
    for (int q = 0; q < kQuad; ++q, ++quad) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[r][q] = Isa::zero();
      const std::int32_t* offsets = layer.offsets.data() + quad->first * kQuad;
      const std::int8_t* weights = layer.weights.data() + quad->first * kQuad * kWindowTaps;
      for (std::int64_t e = 0; e < quad->entries; ++e) {
        const typename Isa::Weights w = Isa::load_weights(weights);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r)
          sums[r][q] = Isa::dot(sums[r][q], Isa::gather(x[r], offsets), w);
        offsets += kQuad;
        weights += kQuad * kWindowTaps;
      }
    }
    const Scale scale(layer.lanes.scalings[channel / kPanel]);
    const Sum start = Isa::load(layer.lanes.start.data() + channel);
    const auto used = static_cast<int>(std::min<std::int64_t>(kPanel, layer.outputs - channel));
    std::int8_t* out = job.out + first / kPooled * job.stride + channel;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r += kPooled, out += job.stride) {
      Sum sum = Isa::add(Isa::fold(sums[r]), start);
#pragma GCC unroll 4
      for (int k = 1; k < kPooled; ++k)
        sum = Isa::max(sum, Isa::add(Isa::fold(sums[r + k]), start));
      Isa::store(scale(Isa::permute(sum, layer.order.data() + channel)), job.range, out, used);
    }
  }
}

template <class Isa, int kPooled>
void multiply_sparse(const MultiplyJob& job, const SparseLayer& layer) {
  with_scaling<Isa>(layer.lanes.high, job.range, [&]<class Scale>() {
    each_four_rows<kPooled>(job.count, [&]<int kRows>(std::int64_t first) {
      multiply_sparse_rows<Isa, Scale, kRows, kPooled>(job, layer, first);
    });
  });
}

}  // namespace pare::integer
