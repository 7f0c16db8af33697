#include "compression/integer/kernels/elementwise.h"

#include <utility>

#include "compression/integer/kernels/effective_weights.h"
#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

AddOperand make_operand(const Tensor& tensor, Multiplier m, Rounding rounding) {
  // (x << 20) * 2^30 * 2^(shift - 31) = x << (19 + shift).
  const std::int32_t left = kAddLeftShift - 1 + m.shift;
  const bool exact = m.value == 1 << 30 && left >= 0 && left < 32;
  return {tensor.zero_point, exact, left, make_uniform_scaling(m, rounding)};
}

CodeRange range_of(const Tensor& output) {
  return {output.zero_point, output.code_min, output.code_max};
}

}  // namespace

PanelScaling make_uniform_scaling(Multiplier m, Rounding rounding) {
  PanelScaling scaling;
  for (int c = 0; c < kPanel; ++c) scaling.set(c, make_scaling(m, rounding));
  return scaling;
}

AddJob make_add_job(const Program& program, const Add& op) {
  AddOperand a = make_operand(program.tensors[op.a], op.scale_a, program.rounding);
  AddOperand b = make_operand(program.tensors[op.b], op.scale_b, program.rounding);
  const bool swapped = b.exact && !a.exact;
  if (swapped) std::swap(a, b);
  return {a, b, swapped, make_uniform_scaling(op.scale_output, program.rounding),
          range_of(program.tensors[op.output])};
}

AverageJob make_average_job(const Program& program, const GlobalAverage& op,
                            std::int32_t input_offset) {
  const Tensor& input = program.tensors[op.input];
  const std::int64_t pixels = std::int64_t{input.height} * input.width;
  const auto start = static_cast<std::int32_t>(-pixels * (input.zero_point + input_offset));
  return {pixels, input.channels, start, make_uniform_scaling(op.multiplier, program.rounding),
          range_of(program.tensors[op.output])};
}

DepthwiseLayer pack_depthwise(const Program& program, const DepthwiseConv2d& op,
                              std::int64_t row_bytes, std::int32_t input_offset) {
  const Tensor& input = program.tensors[op.input];
  const Tensor& output = program.tensors[op.output];
  const WeightLayout layout = weight_layout(op, input, output);
  DepthwiseLayer packed;
  packed.channels = output.channels;
  for (std::int32_t ky = 0; ky < op.window.kernel_h; ++ky) {
    for (std::int32_t kx = 0; kx < op.window.kernel_w; ++kx) {
      packed.offsets.push_back(
          static_cast<std::int32_t>(ky * row_bytes + std::int64_t{kx} * output.channels));
    }
  }
  const std::int64_t panels = (layout.outputs + kPanel - 1) / kPanel;
  packed.weights.assign(panels * kPanel * layout.taps, 0);
  packed.lanes = LaneConstants(layout.outputs);
  const EffectiveWeights weight(op.weights, op.channels, layout);
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    for (std::int64_t tap = 0; tap < layout.taps; ++tap) {
      packed.weights[(c / kPanel * layout.taps + tap) * kPanel + c % kPanel] = weight(c, tap);
    }
    packed.lanes.set(c, op.channels, c, weight.sum(c), input.zero_point + input_offset,
                     program.rounding);
  }
  return packed;
}

}  // namespace pare::integer
