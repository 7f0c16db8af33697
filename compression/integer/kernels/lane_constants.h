// What every layer keeps per lane, whatever the layout of its weights: where the sums of its
// channels start and how they become codes. 16 lanes make a panel.
#pragma once

#include <cstdint>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/scaling.h"
#include "compression/integer/program.h"

namespace pare::integer {

struct LaneConstants {
  // The bias before the point, less what the form of the inputs adds to a sum. Bits behind the
  // point are part of the scalings.
  AlignedVector<std::int32_t> start;
  AlignedVector<PanelScaling> scalings;
  bool high = true;  // that of all scalings

  // Whole panels; lanes that are not set give 0.
  explicit LaneConstants(std::int64_t channels = 0);

  // acc = bias + sum of weight * (input - shift), over inputs in the form that the kernel reads:
  // `shift` is the zero point in that form, `weight_sum` the sum of the channel's weights. Modulo
  // 2^32, like the kernels' sums; the final one fits int32.
  void set(std::int64_t lane, const Channels& channels, std::int64_t channel,
           std::int64_t weight_sum, std::int32_t shift, Rounding rounding);
};

}  // namespace pare::integer
