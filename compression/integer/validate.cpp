#include "compression/integer/validate.h"

#include <algorithm>
#include <limits>
#include <string>

#include "compression/integer/geometry.h"
#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

constexpr std::int64_t kLimit = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxBias = std::int64_t{1} << 30;

// One operation under validation: how its messages start.
struct Place {
  const Program& program;
  std::size_t index;

  [[noreturn]] void fail(const std::string& what) const {
    refuse(program, describe(program, index), what);
  }

  void expect_count(const char* name, std::size_t got, std::int64_t expected) const {
    if (static_cast<std::int64_t>(got) != expected) {
      fail(std::string(name) + ": expected " + std::to_string(expected) + ", got " +
           std::to_string(got));
    }
  }

  void expect_one_or(const char* name, std::size_t got, std::int64_t channels) const {
    if (got != 1) expect_count(name, got, channels);
  }

  void expect(const std::string& name, std::int64_t value, std::int64_t low,
              std::int64_t high) const {
    if (value < low || value > high) {
      fail(name + " is " + std::to_string(value) + ", expected " + std::to_string(low) + " .. " +
           std::to_string(high));
    }
  }

  void check_multiplier(const std::string& name, Multiplier m) const {
    expect(name + " shift", m.shift, -31, 30);
    if (m.value != 0) expect(name + " value", m.value, std::int64_t{1} << 30, kLimit);
  }

  // |accumulator| <= bound; the multiplier shifts it left before it multiplies. After that both
  // roundings stay in int32, because the multiplier's value is below 2^31.
  void check_bound(const std::string& name, std::int64_t bound, Multiplier m) const {
    const int left = std::max(m.shift, 0);
    if (bound <= (kLimit >> left)) return;
    fail(name + " can reach " + std::to_string(bound) + ", but with a left shift of " +
         std::to_string(left) + " only " + std::to_string(kLimit >> left) +
         " fits int32; use fewer bits or a larger output scale");
  }
};

void check_weights(const Place& at, const Weights& weights, const WeightLayout& layout) {
  at.expect("weight bits", weights.bits, 1, 8);
  at.expect_count("weight codes", weights.codes.size(), layout.count());
  at.expect_one_or("weight scales", weights.scale_bits.size(), layout.outputs);
  for (const std::uint32_t bits : weights.scale_bits) {
    // Not negative and finite; 0 is the scale of a channel without any weight.
    at.expect("exponent field of a weight scale", bits >> 23, 0, 254);
  }
  const std::int32_t low = lowest_code(weights) + (!weights.affine && weights.bits == 8 ? 1 : 0);
  const std::int32_t high = highest_code(weights);
  if (weights.affine) {
    at.expect_one_or("weight zero points", weights.zero_points.size(), layout.outputs);
    for (const std::int32_t z : weights.zero_points) at.expect("weight zero point", z, low, high);
  } else {
    at.expect_count("weight zero points (symmetric)", weights.zero_points.size(), 0);
  }
  for (const std::int8_t code : weights.codes) {
    if (code < low || code > high) at.expect("weight code", code, low, high);
  }
}

void check_channels(const Place& at, const Channels& channels, const Weights& weights,
                    std::int64_t outputs) {
  at.expect("fraction bits", channels.fraction_bits, 0, most_fraction_bits(weights));
  at.expect_count("biases", channels.bias.size(), outputs);
  at.expect_count("multipliers", channels.multipliers.size(), outputs);
  if (!channels.negate.empty()) at.expect_count("signs", channels.negate.size(), outputs);
  for (const std::uint8_t sign : channels.negate) at.expect("sign", sign, 0, 1);
  for (const std::int32_t bias : channels.bias) at.expect("bias", bias, -kMaxBias, kMaxBias);
  for (const Multiplier m : channels.multipliers) {
    at.check_multiplier("multiplier", m);
    at.expect("multiplier shift plus fraction bits", m.shift + channels.fraction_bits, -31, 30);
  }
}

template <class Layer>
void check_layer(const Place& at, const Layer& op) {
  const Tensor& input = at.program.tensors[op.input];
  const Tensor& output = at.program.tensors[op.output];
  const WeightLayout layout = weight_layout(op, input, output);
  check_weights(at, op.weights, layout);
  check_channels(at, op.channels, op.weights, layout.outputs);
  const std::vector<std::int64_t> bounds = accumulator_bounds(op, input, output);
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    at.check_bound("the accumulator of channel " + std::to_string(c), bounds[c],
                   op.channels.multipliers[c]);
  }
}

void check(const Place& at, const Conv2d& op) { check_layer(at, op); }
void check(const Place& at, const DepthwiseConv2d& op) { check_layer(at, op); }
void check(const Place& at, const Dense& op) { check_layer(at, op); }
void check(const Place&, const MaxPool2d&) {}
void check(const Place&, const Clamp&) {}
void check(const Place&, const Reshape&) {}

// The largest |x - z| and |x| of a tensor's codes.
std::int64_t largest_distance(const Tensor& t) {
  return std::max(std::abs(t.code_max - t.zero_point), std::abs(t.code_min - t.zero_point));
}
std::int64_t largest_code(const Tensor& t) {
  return std::max(std::abs(t.code_max), std::abs(t.code_min));
}

void check(const Place& at, const AveragePool2d& op) {
  const Tensor& input = at.program.tensors[op.input];
  const std::int64_t taps = std::int64_t{std::min(op.window.kernel_h, input.height)} *
                            std::min(op.window.kernel_w, input.width);
  const std::int64_t sum =
      taps * largest_code(input) + taps / 2;  // average_codes adds half the count
  at.check_bound("the sum of a window", sum, {});
}

void check(const Place& at, const GlobalAverage& op) {
  const Tensor& input = at.program.tensors[op.input];
  // The division by the number of pixels is in the multiplier, whose value may fall below 2^30.
  at.expect("multiplier value", op.multiplier.value, 0, kLimit);
  at.expect("multiplier shift", op.multiplier.shift, -31, 30);
  at.check_bound("the sum of an image",
                 std::int64_t{input.height} * input.width * largest_distance(input), op.multiplier);
}

void check(const Place& at, const Add& op) {
  const auto scaled_bound = [&](const std::string& name, std::int32_t tensor, Multiplier m) {
    at.check_multiplier("multiplier of " + name, m);
    const std::int64_t bound = largest_distance(at.program.tensors[tensor]) << kAddLeftShift;
    at.check_bound("operand " + name, bound, m);
    // Scaling is monotone, and a negative operand never ends further from 0 than one unit beyond
    // the positive one.
    const auto largest = static_cast<std::int32_t>(bound);
    return std::int64_t{scale_accumulator(largest, m, at.program.rounding)} + 1;
  };
  const std::int64_t sum =
      scaled_bound("a", op.a, op.scale_a) + scaled_bound("b", op.b, op.scale_b);
  at.check_multiplier("multiplier of the output", op.scale_output);
  at.check_bound("the sum", sum, op.scale_output);
}

// Each tensor has one writer, and every reader stands behind it.
void check_order(const Program& program) {
  std::vector<std::uint8_t> written(program.tensors.size(), 0);
  written[program.input] = 1;
  for (std::size_t k = 0; k < program.operations.size(); ++k) {
    const Place at{program, k};
    for (const std::int32_t t : inputs_of(program.operations[k])) {
      if (!written[t])
        at.fail("reads tensor '" + program.tensors[t].name + "' before it is written");
    }
    const std::int32_t output = output_of(program.operations[k]);
    if (written[output])
      at.fail("writes tensor '" + program.tensors[output].name + "' a second time");
    written[output] = 1;
  }
  for (std::size_t t = 0; t < program.tensors.size(); ++t) {
    if (!written[t]) {
      refuse(program, "tensor " + std::to_string(t) + " ('" + program.tensors[t].name + "')",
             "is never written");
    }
  }
}

}  // namespace

void validate(const Program& program) {
  check_tensors(program);
  for (std::size_t k = 0; k < program.operations.size(); ++k) check_geometry(program, k);
  check_work(program);
  check_order(program);
  for (std::size_t k = 0; k < program.operations.size(); ++k) {
    const Place at{program, k};
    std::visit([&](const auto& op) { check(at, op); }, program.operations[k]);
  }
}

}  // namespace pare::integer
