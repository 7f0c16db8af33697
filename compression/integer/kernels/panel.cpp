#include "compression/integer/kernels/panel.h"

#include "compression/integer/kernels/simd/panel_avx2.h"

namespace pare::integer {

void panel_portable(const PanelJob& job, const Panel& panel, const Finish& finish) {
  for (std::int64_t r = 0; r < job.count; ++r) {
    const std::int16_t* row = job.rows + r * 2 * job.pairs;
    std::int32_t accumulators[kPanel];
    for (int c = 0; c < kPanel; ++c) accumulators[c] = panel.bias[c];
    for (std::int64_t p = 0; p < job.pairs; ++p) {
      const std::int32_t x0 = row[2 * p], x1 = row[2 * p + 1];
      const std::int16_t* w = panel.weights + p * kPanel * 2;
      for (int c = 0; c < kPanel; ++c) accumulators[c] += w[2 * c] * x0 + w[2 * c + 1] * x1;
    }
    std::int8_t* out = job.out + r * job.stride;
    for (int c = 0; c < job.used; ++c) {
      out[c] = static_cast<std::int8_t>(
          requantize(accumulators[c], {panel.values[c], panel.shifts[c]}, finish.rounding,
                     finish.zero_point, finish.low, finish.high));
    }
  }
}

PanelKernel best_panel_kernel() { return has_avx2() ? panel_avx2 : panel_portable; }

Panels make_panels(const Weights& weights, const Channels& channels, const WeightLayout& layout,
                   std::int64_t first, std::int64_t outputs) {
  Panels panels;
  panels.outputs = outputs;
  panels.pairs = (layout.taps + 1) / 2;
  const std::int64_t padded = panels.count() * kPanel;
  panels.weights.assign(padded * panels.pairs * 2, 0);
  panels.bias.assign(padded, 0);
  panels.values.assign(padded, 0);
  panels.shifts.assign(padded, 0);
  for (std::int64_t c = 0; c < outputs; ++c) {
    const std::int64_t channel = first + c;
    panels.bias[c] = channels.bias[channel];
    panels.values[c] = channels.multipliers[channel].value;
    panels.shifts[c] = channels.multipliers[channel].shift;
    const std::int32_t zero = zero_point(weights, channel);
    const std::int32_t sign = !channels.negate.empty() && channels.negate[channel] != 0 ? -1 : 1;
    std::int16_t* panel = panels.weights.data() + (c / kPanel) * kPanel * panels.pairs * 2;
    for (std::int64_t k = 0; k < layout.taps; ++k) {
      const std::int32_t weight = sign * (weights.codes[channel * layout.taps + k] - zero);
      panel[(k / 2) * kPanel * 2 + (c % kPanel) * 2 + k % 2] = static_cast<std::int16_t>(weight);
    }
  }
  return panels;
}

}  // namespace pare::integer
