// The order of a tile's entries for instruction sets that add products in 16 bits where they fit.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/packed_layer.h"

namespace pare::integer {

// Puts the entries of a tile of one panel that fit (kSmallPair) before the others and says in
// tile.small how many there are of each kind. Sums of products are exact, so their order is free.
void put_small_first(Tile& tile, std::vector<std::int32_t>& offsets,
                     AlignedVector<std::int8_t>& weights);

// The weights of a tile's entries behind the small ones, from [16 lanes][4 taps] to [half][pair of
// taps][8 lanes][2 taps]; whether there are such entries.
bool order_in_pairs(const Tile& tile, AlignedVector<std::int8_t>& weights);

}  // namespace pare::integer
