// What the rows of a tile have in common. Include behind the target pragma.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/packed_layer.h"

namespace pare::integer {

// Copies: as far as the compiler knows a code may be stored anywhere, also over what it has a
// reference to, which it would load anew behind every store; and a panel's scaling stays in
// registers from row to row.
template <class Isa, class Scale, int kPanels>
struct TileJob {
  MultiplyJob job;  // `out` is that of the tile's first channel
  const Tile& tile;
  const std::int32_t* offsets;
  const std::int8_t* weights;
  std::int64_t entries, stacked;  // the latter behind the others
  const std::int32_t* starts;
  int left;  // channels from the tile's first one on
  std::array<Scale, kPanels> scales;

  TileJob(const MultiplyJob& whole, const PackedLayer& l, const Tile& t)
      : job(whole),
        tile(t),
        offsets(l.offsets.data() + t.first_entry),
        weights(l.weights.data() + t.first_weight),
        entries(t.entries - t.stacked),
        stacked(t.stacked),
        starts(l.lanes.start.data() + t.channel),
        left(static_cast<int>(l.outputs - t.channel)),
        scales(make_scales(l.lanes.scalings.data() + t.channel / kPanel,
                           std::make_index_sequence<kPanels>())) {
    job.out += t.channel;
  }

  // Where the taps of a row of the job begin, in the image and where it is stacked.
  const std::uint8_t* taps(std::int64_t row) const { return job.image + job.rows[row]; }
  const std::uint8_t* stacked_taps(std::int64_t row) const {
    return job.image + std::int64_t{kEntryTaps} * job.rows[row];
  }

 private:
  template <std::size_t... kIndex>
  static std::array<Scale, kPanels> make_scales(const PanelScaling* panels,
                                                std::index_sequence<kIndex...>) {
    return {Scale(panels[kIndex])...};
  }
};

}  // namespace pare::integer
