// The inner product of the fast kernels: rows of int16 inputs times a panel of 16 output channels,
// finished to codes.
//
// Weights have their zero point removed and their sign applied, inputs their zero point removed, so
// both are at most 255 in absolute value; a pair of products is at most 130,050 and nothing
// saturates. Accumulators start at the bias, which keeps every partial sum inside the bound that
// validate() proved. Two implementations give the same codes: this folder's portable loops, and
// integer AVX2 in simd/.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/arithmetic.h"
#include "compression/integer/operations.h"

namespace pare::integer {

inline constexpr int kPanel = 16;  // output channels of a panel

// 16 output channels. weights[pair][channel][2]: the taps 2 * pair and 2 * pair + 1 of each channel
// lie side by side.
struct Panel {
  const std::int16_t* weights;
  const std::int32_t* bias;
  const std::int32_t* values;  // multipliers, as two arrays
  const std::int32_t* shifts;
};

// How accumulators become codes, the same for all channels of a layer.
struct Finish {
  Rounding rounding;
  std::int32_t zero_point, low, high;
};

// rows[row][2 * pairs] -> out[row * stride + channel] for channel < used (used <= 16).
struct PanelJob {
  const std::int16_t* rows;
  std::int64_t count;
  std::int64_t pairs;
  std::int8_t* out;
  std::int64_t stride;
  int used;
};

using PanelKernel = void (*)(const PanelJob&, const Panel&, const Finish&);

void panel_portable(const PanelJob& job, const Panel& panel, const Finish& finish);
// The fastest one that this processor runs.
PanelKernel best_panel_kernel();

// The panels of one group of output channels, padded with zeros to whole panels and an even number
// of taps.
struct Panels {
  std::int64_t outputs = 0;
  std::int64_t pairs = 0;
  std::vector<std::int16_t> weights;
  std::vector<std::int32_t> bias, values, shifts;

  std::int64_t count() const { return (outputs + kPanel - 1) / kPanel; }
  Panel panel(std::int64_t index) const {
    const std::int64_t c = index * kPanel;
    return {weights.data() + c * pairs * 2, bias.data() + c, values.data() + c, shifts.data() + c};
  }
};

// The output channels [first, first + outputs) of a layer whose channels are contiguous in memory.
Panels make_panels(const Weights& weights, const Channels& channels, const WeightLayout& layout,
                   std::int64_t first, std::int64_t outputs);

}  // namespace pare::integer
