#include "tests/integer/random_layer.h"

#include <algorithm>

#include "framework/base/error.h"
#include "tests/integer/random_builder.h"

namespace pare::integer {
namespace {

// Mostly small, sometimes around the sizes at which kernels change tiles.
std::int32_t draw_channels(Draw& draw) {
  if (draw.chance(60)) return draw.between(1, 20);
  return draw.chance(50) ? 16 * draw.between(1, 5) + draw.between(-1, 1) : draw.between(1, 90);
}

// Sometimes, and where it fits.
void add_pooling(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  if (in.height < 2 || in.width < 2 || b.draw().chance(50)) return;
  const std::int32_t pooled = b.add_shared(input, in.height / 2, in.width / 2, in.channels);
  if (b.draw().chance(20)) b.fuse_relu(b.tensor(pooled));
  b.program().operations.emplace_back(MaxPool2d{input, pooled, {2, 2, 2, 2, 0, 0, 0, 0}});
}

// Weights of +1 and -1, and an output scale that spreads their sums over the codes.
template <class Layer>
void finish_signs(Builder& b, Layer op) {
  const Tensor input = b.tensor(op.input);
  Tensor& output = b.tensor(op.output);
  const WeightLayout layout = weight_layout(op, input, output);
  op.weights.bits = 2;
  op.weights.scale_bits = {bits_of(static_cast<float>(std::exp2(b.draw().uniform(-9, -3))))};
  for (std::int64_t i = 0; i < layout.count(); ++i)
    op.weights.codes.push_back(b.draw().chance(50) ? 1 : -1);
  const double spread = std::sqrt(static_cast<double>(layout.taps));
  b.draw_fraction_bits(op);
  const double most = spread * (1 << op.channels.fraction_bits);
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    op.channels.bias.push_back(static_cast<std::int32_t>(b.draw().uniform(-most, most)));
    if (layout.outputs % 2 == 0) op.channels.negate.push_back(b.draw().chance(50) ? 1 : 0);
  }
  const double scale = real(input.scale_bits) * b.scale_of(op.weights, 0) * spread;
  output.scale_bits = bits_of(static_cast<float>(scale * std::exp2(b.draw().uniform(-8, 0))));
  b.fuse_relu(output);
  while (!b.set_multipliers(op, input, output)) output.scale_bits += 1u << 23;  // twice the scale
  b.program().operations.emplace_back(std::move(op));
}

void add_conv(Builder& b, const Tensor& in) {
  Conv2d op;
  if (b.draw().chance(20)) {
    do op.groups = b.draw().between(1, in.channels);
    while (in.channels % op.groups != 0);
  }
  std::int32_t height = 0, width = 0;
  op.window = b.make_window(in, height, width);
  const std::int32_t outputs =
      op.groups > 1 ? op.groups * b.draw().between(1, 3) : draw_channels(b.draw());
  op.output = b.add_tensor(height, width, outputs);
  b.finish_layer(std::move(op));
  add_pooling(b, 1);
}

void add_depthwise(Builder& b, const Tensor& in) {
  DepthwiseConv2d op;
  std::int32_t height = 0, width = 0;
  op.window = b.make_window(in, height, width);
  op.output = b.add_tensor(height, width, in.channels * (b.draw().chance(80) ? 1 : 2));
  b.finish_layer(std::move(op));
}

void add_dense(Builder& b) {
  Dense op;
  op.output = b.add_tensor(1, 1, draw_channels(b.draw()) * (b.draw().chance(20) ? 3 : 1));
  b.finish_layer(std::move(op));
}

void saturate(Builder& b, Weights& weights) {
  const bool high = b.draw().chance(50);
  for (std::int8_t& code : weights.codes) {
    const std::int32_t lowest = weights.bits == 8 && !weights.affine ? -127 : lowest_code(weights);
    code = static_cast<std::int8_t>(high ? highest_code(weights) : lowest);
  }
}

// Its first operation's weights all at one end, where the accumulators still fit.
Program saturated(Builder& b) {
  Program program = b.program();
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights; }) saturate(b, op.weights);
      },
      program.operations[0]);
  try {
    validate(program);
    return program;
  } catch (const DataError&) {
    return b.program();
  }
}

// All but a run or two of each channel's weights become zero.
void thin_out(Builder& b, Weights& weights, const WeightLayout& layout) {
  if (layout.interleaved) return;
  for (std::int64_t c = 0; c < layout.outputs; ++c) {
    const auto channel = weights.codes.begin() + c * layout.taps;
    const std::vector<std::int8_t> before(channel, channel + layout.taps);
    std::fill_n(channel, layout.taps, static_cast<std::int8_t>(zero_point(weights, c)));
    for (int runs = b.draw().between(0, 2); runs > 0; --runs) {
      const std::int64_t first = b.draw().between(0, static_cast<int>(layout.taps) - 1);
      const std::int64_t end = std::min<std::int64_t>(layout.taps, first + b.draw().between(1, 24));
      std::copy(before.begin() + first, before.begin() + end, channel + first);
    }
  }
}

}  // namespace

Program random_layer(std::uint64_t seed) {
  Builder b(seed);
  Draw& draw = b.draw();
  const bool flat = draw.chance(25);
  const std::int32_t side = draw.chance(10) ? 20 : 9;
  const Tensor in = b.tensor(
      flat ? b.add_tensor(1, 1, draw.between(1, 300))
           : b.add_tensor(draw.between(1, side), draw.between(1, side), draw_channels(draw)));
  const int kind = draw.between(1, 100);
  if (flat || kind <= 15) {
    add_dense(b);
  } else if (kind <= 70) {
    add_conv(b, in);
  } else if (kind <= 80) {
    add_depthwise(b, in);
  } else {
    add_random_operation(b, 0);
  }
  Program& program = b.program();
  program.output = static_cast<std::int32_t>(program.tensors.size()) - 1;
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights; }) {
          if (!draw.chance(15)) return;
          thin_out(b, op.weights,
                   weight_layout(op, program.tensors[op.input], program.tensors[op.output]));
        }
      },
      program.operations[0]);
  return draw.chance(10) ? saturated(b) : program;
}

Program random_filter_layer(std::uint64_t seed) {
  Builder b(seed);
  Draw& draw = b.draw();
  const std::int32_t width = draw.between(1, draw.chance(70) ? 13 : 40);
  const Tensor in = b.tensor(
      b.add_tensor(draw.between(1, 13), width, 16 * draw.between(1, draw.chance(80) ? 3 : 9)));
  Conv2d op;
  Window& w = op.window;
  w.kernel_h = w.kernel_w = 3;
  const auto pad = [&](std::int32_t size, std::int32_t& before, std::int32_t& after) {
    before = draw.between(0, 2);
    after = draw.between(std::max(0, 3 - size - before), 2);
    return size + before + after - 2;
  };
  const std::int32_t height = pad(in.height, w.pad_top, w.pad_bottom);
  const std::int32_t columns = pad(in.width, w.pad_left, w.pad_right);
  const bool fills = draw.chance(85);  // whole panels, or nearly
  op.output = b.add_tensor(
      height, columns, fills ? 16 * draw.between(1, 4) - draw.between(0, 1) : draw_channels(draw));
  b.finish_layer(std::move(op));
  add_pooling(b, 1);
  b.program().output = static_cast<std::int32_t>(b.program().tensors.size()) - 1;
  return draw.chance(20) ? saturated(b) : b.program();
}

Program random_bit_layer(std::uint64_t seed) {
  Builder b(seed);
  Draw& draw = b.draw();
  const bool flat = draw.chance(30);
  const std::int32_t channels = flat ? draw.between(1, 300) : 8 * draw.between(1, 9);
  const std::int32_t side = flat ? 1 : draw.between(1, 9);
  const std::int32_t in = b.add_tensor(side, flat ? 1 : draw.between(1, 9), channels);
  const std::int32_t two = b.add_shared(in, side, b.tensor(in).width, channels);
  Tensor& codes = b.tensor(two);
  codes.code_min = draw.between(codes.code_min, codes.code_max - 1);
  codes.code_max = codes.code_min + 1;
  b.program().operations.emplace_back(Clamp{in, two});
  if (flat) {
    Dense op;
    op.input = two;
    op.output = b.add_tensor(1, 1, draw_channels(draw));
    finish_signs(b, std::move(op));
  } else {
    Conv2d op;
    op.input = two;
    std::int32_t height = 0, width = 0;
    do op.window = b.make_window(b.tensor(two), height, width);
    while (op.window.pad_top + op.window.pad_left + op.window.pad_bottom + op.window.pad_right > 0);
    const std::int32_t output = b.add_tensor(height, width, draw_channels(draw));
    op.output = output;
    finish_signs(b, std::move(op));
    add_pooling(b, output);
  }
  b.program().output = static_cast<std::int32_t>(b.program().tensors.size()) - 1;
  return b.program();
}

std::vector<std::int8_t> extreme_codes(const Program& program, std::int64_t images,
                                       std::uint64_t seed) {
  Draw draw(seed);
  const Tensor& in = program.tensors[program.input];
  const int kind = draw.between(1, 100);
  if (kind <= 70) return random_codes(program, images, seed);
  std::vector<std::int8_t> codes(images * in.size());
  const std::int32_t end = kind <= 75 ? in.code_min : in.code_max;
  for (std::int8_t& code : codes) {
    code = static_cast<std::int8_t>(kind <= 80 ? end : draw.chance(50) ? in.code_min : in.code_max);
  }
  return codes;
}

}  // namespace pare::integer
