// Products with windows of weights (sparse_layer.h), four output pixels at a time. Include behind
// the target pragma.
//
// An instruction set that has them provides, beside what multiply_tiles.h asks for,
//   kSparseCosts
//   gather(x, offsets)   16 bytes of the image from each of four places
//   load_windows(p)      the weights of four windows; dot(sum, gathered, windows) adds the products
//   fold(sums)           of four quads: lane 4 * quad + channel
//   permute(sum, order)  lane c from lane order[c]
#pragma once

#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/row_blocks.h"

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
        const auto w = Isa::load_windows(weights);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r)
          sums[r][q] = Isa::dot(sums[r][q], Isa::gather(x[r], offsets), w);
        offsets += kQuad;
        weights += kQuad * kWindowTaps;
      }
    }
    const Sum start = Isa::load(layer.lanes.start.data() + channel);
    const Scale scale(layer.lanes.scalings[channel / kPanel]);
    store_rows<Isa, kRows, kPooled>(
        job, first, channel, layer.outputs,
        [&](int r) { return Isa::add(Isa::fold(sums[r]), start); },
        [&](const Sum& sum) { return scale(Isa::permute(sum, layer.order.data() + channel)); });
  }
}

template <class Isa, int kPooled>
void multiply_sparse(const MultiplyJob& job, const SparseLayer& layer) {
  each_four_rows<Isa, kPooled>(
      job, layer.lanes.high, [&]<class Scale, int kRows>(std::int64_t first) {
        multiply_sparse_rows<Isa, Scale, kRows, kPooled>(job, layer, first);
      });
}

}  // namespace pare::integer
