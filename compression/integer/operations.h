// Questions that every reader of a program asks about an operation: what it reads, what it writes,
// how its weights lie.
//
// Used by the validator, the model file, the arena planner and the engine; it computes no codes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "compression/integer/program.h"

namespace pare::integer {

// "conv2d", "depthwise_conv2d", ...: the names that messages use.
const char* kind_of(const Operation& operation);

// One or two tensor indices, without an allocation.
struct Inputs {
  std::array<std::int32_t, 2> tensors{};
  std::size_t count = 1;
  std::int32_t operator[](std::size_t i) const { return tensors[i]; }
  const std::int32_t* begin() const { return tensors.data(); }
  const std::int32_t* end() const { return tensors.data() + count; }
};

// The tensors that an operation reads, in the order of its fields, and the one it writes.
Inputs inputs_of(const Operation& operation);
std::int32_t output_of(const Operation& operation);

// How the codes of a layer lie in memory: `taps` per output channel, `outputs` channels. The codes
// of one channel are contiguous (conv2d, dense: channel = index / taps) or interleaved (depthwise:
// channel = index % outputs).
struct WeightLayout {
  std::int64_t outputs = 0;
  std::int64_t taps = 0;
  bool interleaved = false;
  std::int64_t count() const { return outputs * taps; }
  std::int64_t channel(std::int64_t index) const {
    return interleaved ? index % outputs : index / taps;
  }
  // Distance to the code "above": the same tap of the previous channel, or the previous tap of the
  // same channel.
  std::int64_t row() const { return interleaved ? outputs : taps; }
};

// From the shapes of the operation and its tensors, which must have been checked (sides at most
// 2^16, groups >= 1).
WeightLayout weight_layout(const Conv2d& op, const Tensor& input, const Tensor& output);
WeightLayout weight_layout(const DepthwiseConv2d& op, const Tensor& input, const Tensor& output);
WeightLayout weight_layout(const Dense& op, const Tensor& input, const Tensor& output);

// Multiply-accumulates of one image, taps in the padding included; 0 for operations without
// weights.
std::int64_t macs_of(const Program& program, const Operation& operation);

// The zero point of a channel: 0 where the weights are symmetric.
inline std::int32_t zero_point(const Weights& weights, std::int64_t channel) {
  if (weights.zero_points.empty()) return 0;
  return weights
      .zero_points[weights.zero_points.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

// The codes that `bits` bits can hold: -2^(b-1) .. 2^(b-1)-1, or the top of int8 where the weights
// are affine.
inline std::int32_t lowest_code(const Weights& weights) {
  return weights.affine ? 128 - (1 << weights.bits) : -(1 << (weights.bits - 1));
}
inline std::int32_t highest_code(const Weights& weights) {
  return weights.affine ? 127 : (1 << (weights.bits - 1)) - 1;
}

// As many as symmetric weights can be multiplied by, as powers of two, and still fit 8 bits:
// formats whose biases have the unit of sums get such weights, with a smaller scale.
inline std::int32_t most_fraction_bits(const Weights& weights) {
  return weights.affine ? 0 : std::max(0, 7 - weights.bits);
}

// A channel's sum starts at what its bias has before the point, and in the end gets the bits behind
// it: acc = 2^f * sum + rest. So every partial sum is that of an accumulator which some input has,
// and which the program's proof covers.
inline std::int32_t start_of_sum(const Channels& channels, std::int64_t c) {
  return channels.bias[static_cast<std::size_t>(c)] >> channels.fraction_bits;  // rounded down
}
inline std::int32_t rest_of_bias(const Channels& channels, std::int64_t c) {
  return channels.bias[static_cast<std::size_t>(c)] & ((1 << channels.fraction_bits) - 1);
}
inline std::int32_t accumulator(const Channels& channels, std::int64_t c, std::int32_t sum) {
  return sum * (1 << channels.fraction_bits) + rest_of_bias(channels, c);
}

}  // namespace pare::integer
