#include "tests/integer/random_program.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/integer/random_builder.h"

namespace pare::integer {
namespace {

void add_conv2d(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  Conv2d op;
  op.input = input;
  if (b.draw().chance(30)) {
    do op.groups = b.draw().between(1, in.channels);
    while (in.channels % op.groups != 0);
  }
  std::int32_t height = 0, width = 0;
  op.window = b.make_window(in, height, width);
  const std::int32_t per_group = b.draw().between(1, op.groups > 1 ? 3 : 21);
  op.output = b.add_tensor(height, width, op.groups * per_group);
  b.finish_layer(std::move(op));
}

void add_depthwise(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  DepthwiseConv2d op;
  op.input = input;
  std::int32_t height = 0, width = 0;
  op.window = b.make_window(in, height, width);
  op.output = b.add_tensor(height, width, in.channels * b.draw().between(1, 2));
  b.finish_layer(std::move(op));
}

void add_dense(Builder& b, std::int32_t input) {
  Dense op;
  op.input = input;
  op.output = b.add_tensor(1, 1, b.draw().between(1, 37));
  b.finish_layer(std::move(op));
}

template <class Pool>
void add_pool(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  Pool op;
  op.input = input;
  std::int32_t height = 0, width = 0;
  op.window = b.make_window(in, height, width);
  op.output = b.add_shared(input, height, width, in.channels);
  if (b.draw().chance(20)) b.fuse_relu(b.tensor(op.output));
  b.program().operations.emplace_back(op);
}

void add_global_average(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  const std::int64_t pixels = std::int64_t{in.height} * in.width;
  GlobalAverage op;
  op.input = input;
  op.output = b.add_tensor(1, 1, in.channels);
  Tensor& out = b.tensor(op.output);
  out.scale_bits =
      bits_of(static_cast<float>(real(in.scale_bits) * std::exp2(b.draw().uniform(-2, 2))));
  op.multiplier = multiplier_of(real(in.scale_bits) / real(out.scale_bits));
  const int k = std::min(
      {63 - std::countl_zero(static_cast<std::uint64_t>(pixels)), 32, 31 + op.multiplier.shift});
  op.multiplier.value =
      static_cast<std::int32_t>((std::int64_t{op.multiplier.value} << k) / pixels);
  op.multiplier.shift -= k;
  b.fuse_relu(out);
  b.program().operations.emplace_back(op);
}

void add_add(Builder& b, std::int32_t input) {
  const Tensor a = b.tensor(input);
  std::vector<std::int32_t> partners;
  for (std::int32_t t = 0; t < std::ssize(b.program().tensors); ++t) {
    const Tensor& other = b.tensor(t);
    if (other.height == a.height && other.width == a.width && other.channels == a.channels)
      partners.push_back(t);
  }
  Add op;
  op.a = input;
  op.b = partners[b.draw().between(0, static_cast<int>(partners.size()) - 1)];
  op.output = b.add_tensor(a.height, a.width, a.channels);
  Tensor& out = b.tensor(op.output);
  const double scale_a = real(a.scale_bits), scale_b = real(b.tensor(op.b).scale_bits);
  const double twice = 2 * std::max(scale_a, scale_b);
  out.scale_bits = bits_of(static_cast<float>(twice * std::exp2(b.draw().uniform(-3, 3))));
  op.scale_a = multiplier_of(scale_a / twice);
  op.scale_b = multiplier_of(scale_b / twice);
  op.scale_output = multiplier_of(twice / ((1 << kAddLeftShift) * real(out.scale_bits)));
  b.fuse_relu(out);
  b.program().operations.emplace_back(op);
}

void add_clamp(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  Clamp op{input, b.add_shared(input, in.height, in.width, in.channels)};
  Tensor& out = b.tensor(op.output);
  out.code_min = std::min(out.code_max, std::max(out.code_min, out.zero_point));
  b.program().operations.emplace_back(op);
}

void add_reshape(Builder& b, std::int32_t input) {
  const Tensor in = b.tensor(input);
  const bool flat = b.draw().chance(50);
  const auto size = static_cast<std::int32_t>(in.size());
  const std::int32_t output = flat ? b.add_shared(input, 1, 1, size)
                                   : b.add_shared(input, in.width, in.height, in.channels);
  b.program().operations.emplace_back(Reshape{input, output});
}

constexpr void (*kAdd[])(Builder&, std::int32_t) = {
    add_conv2d,         add_depthwise, add_dense, add_pool<MaxPool2d>, add_pool<AveragePool2d>,
    add_global_average, add_add,       add_clamp, add_reshape};

}  // namespace

Multiplier multiplier_of(double value) {
  int shift = 0;
  const double fraction = std::frexp(value, &shift);
  auto m = static_cast<std::int64_t>(std::round(fraction * 0x1p31));
  if (m == std::int64_t{1} << 31) {
    m /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(m), shift};
}

void add_random_operation(Builder& b, std::int32_t input) {
  kAdd[b.draw().between(0, 8)](b, input);
}

Program random_program(std::uint64_t seed, Grids grids) {
  Builder b(seed, grids);
  Draw& draw = b.draw();
  Program& program = b.program();
  program.input = b.add_tensor(draw.between(1, 11), draw.between(1, 11), draw.between(1, 13));
  if (draw.chance(50)) {
    const Tensor& in = b.tensor(program.input);
    for (std::int32_t c = 0; c < in.channels; ++c) {
      for (std::int8_t& code : program.pixel_codes.emplace_back()) {
        code = static_cast<std::int8_t>(draw.between(in.code_min, in.code_max));
      }
    }
  }
  for (std::int32_t k = draw.between(1, 8); k > 0; --k) {
    const auto last = static_cast<std::int32_t>(program.tensors.size()) - 1;
    const std::int32_t input = draw.chance(80) ? last : draw.between(0, last);
    // Dense and global average end what an image can be, so they come last more often than in the
    // middle.
    std::int32_t kind = draw.between(0, 8);
    if ((kind == 2 || kind == 5) && k > 2 && draw.chance(60)) kind = 0;
    kAdd[kind](b, input);
  }
  program.output = static_cast<std::int32_t>(program.tensors.size()) - 1;
  return program;
}

std::vector<std::int8_t> random_codes(const Program& program, std::int64_t images,
                                      std::uint64_t seed) {
  Draw draw(seed);
  const Tensor& in = program.tensors[program.input];
  std::vector<std::int8_t> codes(images * in.size());
  for (std::int8_t& code : codes) {
    const bool end = draw.chance(20);
    code = static_cast<std::int8_t>(end ? (draw.chance(50) ? in.code_min : in.code_max)
                                        : draw.between(in.code_min, in.code_max));
  }
  return codes;
}

Program small_cnn(std::uint64_t seed) {
  Builder b(seed);
  Program& program = b.program();
  program.name = "small_cnn";
  program.input = b.add_tensor(28, 28, 1);
  Tensor& in = b.tensor(program.input);
  in.zero_point = in.code_min = -128;
  auto& table = program.pixel_codes.emplace_back();
  for (int pixel = 0; pixel < 256; ++pixel) table[pixel] = static_cast<std::int8_t>(pixel - 128);
  Conv2d conv;
  conv.window = {3, 3, 1, 1, 1, 1, 1, 1};
  conv.output = b.add_tensor(28, 28, 8);
  b.finish_layer(std::move(conv));
  MaxPool2d pool{1, b.add_shared(1, 14, 14, 8), {2, 2, 2, 2, 0, 0, 0, 0}};
  program.operations.emplace_back(pool);
  Dense hidden;
  hidden.input = 2;
  hidden.output = b.add_tensor(1, 1, 16);
  b.finish_layer(std::move(hidden));
  Dense last;
  last.input = 3;
  last.output = b.add_tensor(1, 1, 10);
  b.finish_layer(std::move(last));
  program.output = 4;
  return program;
}

Program zero_weights(std::int32_t inputs, std::int32_t outputs) {
  constexpr std::uint32_t kOne = 0x3f800000;  // as float32
  Program program;
  program.name = "zeros";
  program.output = 1;
  program.tensors = {{.name = "x", .channels = inputs, .scale_bits = kOne},
                     {.name = "y", .channels = outputs, .scale_bits = kOne}};
  const auto count = static_cast<std::size_t>(outputs);
  Dense dense{.input = 0, .output = 1, .weights = {}, .channels = {}};
  dense.weights.codes.resize(count * static_cast<std::size_t>(inputs));
  dense.weights.scale_bits = {kOne};
  dense.channels.bias.resize(count);
  dense.channels.multipliers.resize(count);
  program.operations.emplace_back(std::move(dense));
  return program;
}

}  // namespace pare::integer
