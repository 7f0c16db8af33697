#include "compression/integer/kernels/elementwise.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
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

constexpr int kLeast = std::numeric_limits<std::int8_t>::min();

// What an operand's codes are worth, scaled: worth[code - kLeast]. Only those that it can have: for
// others there may be no room.
std::array<std::int32_t, 256> worth_of(const Tensor& tensor, Multiplier m, Rounding rounding) {
  std::array<std::int32_t, 256> worth{};
  for (int code = tensor.code_min; code <= tensor.code_max; ++code) {
    worth[static_cast<std::size_t>(code - kLeast)] =
        scale_accumulator((code - tensor.zero_point) * (1 << kAddLeftShift), m, rounding);
  }
  return worth;
}

// m * out * 2^(kAddLeftShift + fraction), to nearest; nothing where that is not below 2^30.
std::optional<std::int32_t> factor_of(Multiplier m, Multiplier out, int fraction) {
  const std::int64_t product = std::int64_t{m.value} * out.value;  // below 2^62
  const int right = 62 - kAddLeftShift - fraction - m.shift - out.shift;
  if (right > 62) return 0;
  if (right < 1) return std::nullopt;
  const std::int64_t factor = (product + (std::int64_t{1} << (right - 1))) >> right;
  if (factor >= 1 << 30) return std::nullopt;
  return static_cast<std::int32_t>(factor);
}

// Two words of 16 bits: the same part of both factors.
std::int32_t both(std::int32_t a, std::int32_t b) { return a | b * 65536; }

// a and b of the program's addition, in the order that kernels see.
struct Operands {
  const Tensor *a, *b;
  Multiplier scale_a, scale_b;
};

// What kernels shift: modulo 2^32 in them, so it must fit.
std::optional<std::int32_t> sum_of(const PairSum& pairs, int x, int y) {
  const auto part = [&](std::int32_t factors) {
    return x * (factors & 0xffff) + y * (factors >> 16);
  };
  const std::int64_t sum = (std::int64_t{part(pairs.high)} << PairSum::kHighLeft) +
                           (part(pairs.low) >> PairSum::kLowRight) + pairs.constant;
  if (sum != static_cast<std::int32_t>(sum)) return std::nullopt;
  return static_cast<std::int32_t>(sum);
}

bool gives_every_code(const PairSum& pairs, const Program& program, const Add& op,
                      const Operands& operands) {
  const auto a = worth_of(*operands.a, operands.scale_a, program.rounding);
  const auto b = worth_of(*operands.b, operands.scale_b, program.rounding);
  const CodeRange range = range_of(program.tensors[op.output]);
  for (int x = operands.a->code_min; x <= operands.a->code_max; ++x) {
    for (int y = operands.b->code_min; y <= operands.b->code_max; ++y) {
      const std::int32_t sum =
          a[static_cast<std::size_t>(x - kLeast)] + b[static_cast<std::size_t>(y - kLeast)];
      const std::optional<std::int32_t> got = sum_of(pairs, x, y);
      if (!got || clamp_code(*got >> pairs.shift, range.low, range.high) !=
                      requantize(sum, op.scale_output, program.rounding, range.zero_point,
                                 range.low, range.high))
        return false;
    }
  }
  return true;
}

// With so many bits of fraction; nothing where they do not fit.
std::optional<PairSum> pair_sum_of(const Program& program, const Add& op, const Operands& operands,
                                   int fraction) {
  const auto a = factor_of(operands.scale_a, op.scale_output, fraction);
  const auto b = factor_of(operands.scale_b, op.scale_output, fraction);
  if (!a || !b) return std::nullopt;
  PairSum pairs;
  pairs.high = both(*a >> 15, *b >> 15);
  pairs.low = both(*a & 0x7fff, *b & 0x7fff);
  pairs.shift = fraction - PairSum::kLowRight;
  const std::int64_t halves = 2 * std::int64_t{program.tensors[op.output].zero_point} + 1;
  const std::int64_t zero =
      std::int64_t{operands.a->zero_point} * *a + std::int64_t{operands.b->zero_point} * *b;
  const std::int64_t constant =
      halves * (std::int64_t{1} << (pairs.shift - 1)) - ((zero + 64) >> PairSum::kLowRight);
  if (std::abs(constant) >= std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  pairs.constant = static_cast<std::int32_t>(constant);  // as one more and one less are
  // Factors are not negative: the smallest codes and the largest have the smallest and largest sum.
  if (!sum_of(pairs, operands.a->code_min, operands.b->code_min) ||
      !sum_of(pairs, operands.a->code_max, operands.b->code_max))
    return std::nullopt;
  return pairs;
}

// With as many bits of fraction as fit. A constant that is one unit off may be right where the
// first is not: the low product is rounded down.
PairSum make_pair_sum(const Program& program, const Add& op, const Operands& operands) {
  std::optional<PairSum> pairs;
  for (int fraction = 30; fraction >= 20 && !pairs; --fraction)
    pairs = pair_sum_of(program, op, operands, fraction);
  if (!pairs) return {};
  for (const std::int32_t change : {0, 1, -2}) {  // to one more, then to one less
    pairs->constant += change;
    pairs->exact = gives_every_code(*pairs, program, op, operands);
    if (pairs->exact) break;
  }
  return *pairs;
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
  Operands operands{&program.tensors[op.a], &program.tensors[op.b], op.scale_a, op.scale_b};
  if (swapped) {
    std::swap(a, b);
    operands = Operands{&program.tensors[op.b], &program.tensors[op.a], op.scale_b, op.scale_a};
  }
  return {a,
          b,
          swapped,
          make_uniform_scaling(op.scale_output, program.rounding),
          range_of(program.tensors[op.output]),
          make_pair_sum(program, op, operands)};
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
