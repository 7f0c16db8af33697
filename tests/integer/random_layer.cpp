#include "tests/integer/random_layer.h"

#include "framework/base/error.h"
#include "tests/integer/random_builder.h"

namespace pare::integer {
namespace {

// Mostly small, sometimes around the sizes at which kernels change tiles.
std::int32_t draw_channels(Draw& draw) {
  if (draw.chance(60)) return draw.between(1, 20);
  return draw.chance(50) ? 16 * draw.between(1, 5) + draw.between(-1, 1) : draw.between(1, 90);
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
  if (height < 2 || width < 2 || b.draw().chance(50)) return;
  const std::int32_t pooled = b.add_shared(1, height / 2, width / 2, outputs);
  if (b.draw().chance(20)) b.fuse_relu(b.tensor(pooled));
  b.program().operations.emplace_back(MaxPool2d{1, pooled, {2, 2, 2, 2, 0, 0, 0, 0}});
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
  // Weights all at one end, where the accumulators still fit.
  if (!draw.chance(10)) return program;
  Program saturated = program;
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights; }) saturate(b, op.weights);
      },
      saturated.operations[0]);
  try {
    validate(saturated);
    return saturated;
  } catch (const DataError&) {
    return program;
  }
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
