// The bound behind the proof that accumulators cannot overflow.
//
// One tap adds d * (x - z_x) with d = w - z_w. A tap may lie outside the image and add nothing, so
// 0 always counts as possible; with up = max(0, code_max - z_x) and down = max(0, z_x - code_min)
// the sum of a channel lies in
//   [-(P * down + N * up),  P * up + N * down],   P = sum of positive d, N = sum of negative |d|.
// The ends hold for every partial sum too, in any order of taps, provided that summing starts at
// the bias, or at what it has before the point (start_of_sum).
#include <algorithm>
#include <cstdlib>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"
#include "framework/base/error.h"

namespace pare::integer {
namespace {

std::vector<std::int64_t> bounds(const Weights& weights, const Channels& channels,
                                 const WeightLayout& layout, const Tensor& input) {
  PARE_ENSURE(std::ssize(weights.codes) == layout.count() &&
              std::ssize(channels.bias) == layout.outputs);
  std::vector<std::int64_t> positive(layout.outputs), negative(layout.outputs);
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int64_t c = layout.channel(i);
    const std::int64_t d = weights.codes[i] - zero_point(weights, c);
    (d > 0 ? positive : negative)[c] += std::abs(d);
  }
  const std::int64_t up = std::max(0, input.code_max - input.zero_point);
  const std::int64_t down = std::max(0, input.zero_point - input.code_min);
  std::vector<std::int64_t> result(layout.outputs);
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    const std::int64_t unit = std::int64_t{1} << channels.fraction_bits;
    std::int64_t high = (positive[c] * up + negative[c] * down) * unit;
    std::int64_t low = -(positive[c] * down + negative[c] * up) * unit;
    if (!channels.negate.empty() && channels.negate[c] != 0) {
      std::swap(high, low);
      high = -high;
      low = -low;
    }
    const std::int64_t bias = channels.bias[c];
    result[c] = std::max(std::abs(bias + high), std::abs(bias + low));
  }
  return result;
}

}  // namespace

std::vector<std::int64_t> accumulator_bounds(const Conv2d& op, const Tensor& input,
                                             const Tensor& output) {
  return bounds(op.weights, op.channels, weight_layout(op, input, output), input);
}

std::vector<std::int64_t> accumulator_bounds(const DepthwiseConv2d& op, const Tensor& input,
                                             const Tensor& output) {
  return bounds(op.weights, op.channels, weight_layout(op, input, output), input);
}

std::vector<std::int64_t> accumulator_bounds(const Dense& op, const Tensor& input,
                                             const Tensor& output) {
  return bounds(op.weights, op.channels, weight_layout(op, input, output), input);
}

}  // namespace pare::integer
