#include "compression/integer/kernels/scaling.h"

namespace pare::integer {

Scaling make_scaling(Multiplier m, Rounding rounding) {
  if (m.value == 0) return {0, 0, 0, 32};
  const int right = 31 - m.shift;
  const bool second = rounding == Rounding::twice && m.shift < 0;
  const std::int64_t half = std::int64_t{1} << (right - 1);
  if (!second) return {m.value, half, 0, right};
  return {m.value, half + (std::int64_t{1} << 30), std::int64_t{1} << 31, right};
}

Scaling make_scaling(Multiplier m, Rounding rounding, std::int32_t fraction_bits,
                     std::int32_t rest) {
  Scaling s = make_scaling(m, rounding);
  if (s.value == 0) return s;
  s.nudge = (rest * s.value + s.nudge) >> fraction_bits;
  s.correction >>= fraction_bits;
  s.right -= fraction_bits;
  return s;
}

void PanelScaling::set(int channel, const Scaling& scaling) {
  const int at = slot(channel);
  value[at] = scaling.value;
  nudge[at] = scaling.nudge;
  correction[at] = scaling.correction;
  right[at] = scaling.right;
  high_right[channel] = static_cast<std::int32_t>(scaling.right) - 32;
  high = high && scaling.right >= 32;
}

}  // namespace pare::integer
