#include "compression/integer/kernels/lane_constants.h"

#include "compression/integer/operations.h"

namespace pare::integer {

LaneConstants::LaneConstants(std::int64_t channels)
    : start((channels + kPanel - 1) / kPanel * kPanel, 0),
      scalings((channels + kPanel - 1) / kPanel) {}

void LaneConstants::set(std::int64_t lane, const Channels& channels, std::int64_t channel,
                        std::int64_t weight_sum, std::int32_t shift, Rounding rounding) {
  start[lane] =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(start_of_sum(channels, channel)) -
                                static_cast<std::uint32_t>(weight_sum * shift));
  PanelScaling& panel = scalings[lane / kPanel];
  panel.set(static_cast<int>(lane % kPanel),
            make_scaling(channels.multipliers[channel], rounding, channels.fraction_bits,
                         rest_of_bias(channels, channel)));
  high = high && panel.high;
}

}  // namespace pare::integer
