#include "compression/integer/kernels/lane_constants.h"

namespace pare::integer {

LaneConstants::LaneConstants(std::int64_t channels)
    : start((channels + kPanel - 1) / kPanel * kPanel, 0),
      scalings((channels + kPanel - 1) / kPanel) {}

void LaneConstants::set(std::int64_t lane, const Channels& channels, std::int64_t channel,
                        std::int64_t weight_sum, std::int32_t shift, Rounding rounding) {
  const std::int32_t fraction_bits = channels.fraction_bits;
  const std::int32_t whole = channels.bias[channel] >> fraction_bits;  // rounded down
  const std::int32_t rest = channels.bias[channel] - whole * (1 << fraction_bits);
  start[lane] = static_cast<std::int32_t>(static_cast<std::uint32_t>(whole) -
                                          static_cast<std::uint32_t>(weight_sum * shift));
  PanelScaling& panel = scalings[lane / kPanel];
  panel.set(static_cast<int>(lane % kPanel),
            make_scaling(channels.multipliers[channel], rounding, fraction_bits, rest));
  high = high && panel.high;
}

}  // namespace pare::integer
