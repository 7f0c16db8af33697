// All kernels of an instruction set, from the struct that describes it (multiply_tiles.h). Include
// behind the target pragma.
#pragma once

#include "compression/integer/kernels/simd/bit_tiles.h"
#include "compression/integer/kernels/simd/elementwise_loops.h"
#include "compression/integer/kernels/simd/load_image.h"
#include "compression/integer/kernels/simd/multiply_tiles.h"
#include "compression/integer/kernels/simd/sparse_tiles.h"

namespace pare::integer {

template <class Isa>
constexpr KernelSet make_kernel_set(const char* name) {
  static_assert(RunsPixels<Isa> == HasPixelLanes<Isa>, "Packing::neighbours stands for both");
  static_assert(!RunsPixels<Isa> || !AddsSmallProducts<Isa>, "they know no small entries");
  static_assert(!RunsPixels<Isa> || Isa::kMaxPanels > 1, "stacked entries are not folded in pairs");
  KernelSet set{name,
                {Isa::kInputOffset, Isa::kMaxPanels, UnpacksNibbles<Isa> || AddsSmallProducts<Isa>,
                 HasNarrowTiles<Isa>, AddsSmallProducts<Isa>, RunsPixels<Isa>},
                load_image<Isa>,
                multiply_tiles<Isa, 1>,
                multiply_tiles<Isa, 4>,
                multiply_depthwise<Isa>,
                add_codes<Isa>,
                average_pixels<Isa>};
  if constexpr (CountsOnes<Isa>) {
    set.bits = {multiply_bits<Isa, 1>, multiply_bits<Isa, 4>};
  }
  if constexpr (GathersWindows<Isa>) {
    set.sparse = {multiply_sparse<Isa, 1>, multiply_sparse<Isa, 4>, Isa::kSparseCosts};
  }
  return set;
}

}  // namespace pare::integer
