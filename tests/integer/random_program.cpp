#include "tests/integer/random_program.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"

namespace pare::integer {
namespace {

std::uint32_t bits_of(float scale) { return std::bit_cast<std::uint32_t>(scale); }
double real(std::uint32_t bits) { return static_cast<double>(std::bit_cast<float>(bits)); }

class Builder {
 public:
  explicit Builder(std::uint64_t seed) : draw_(seed) {
    program_.name = "random " + std::to_string(seed);
    program_.rounding = draw_.chance(50) ? Rounding::twice : Rounding::once;
  }

  Draw& draw() { return draw_; }
  Program& program() { return program_; }
  Tensor& tensor(std::int32_t t) { return program_.tensors[t]; }

  // A tensor on a random grid of 2 to 8 bits, by a fused relu or relu6 cut at its zero point.
  std::int32_t add_tensor(std::int32_t height, std::int32_t width, std::int32_t channels) {
    Tensor t{"node" + std::to_string(program_.tensors.size()), height, width, channels};
    const std::int32_t bits = draw_.chance(70) ? 8 : draw_.between(2, 7);
    t.code_min = 128 - (1 << bits);
    t.zero_point = draw_.chance(30) ? t.code_min : draw_.between(t.code_min, t.code_max);
    t.scale_bits = bits_of(static_cast<float>(std::exp2(draw_.uniform(-8, 2))));
    program_.tensors.push_back(t);
    return static_cast<std::int32_t>(program_.tensors.size()) - 1;
  }

  std::int32_t add_shared(std::int32_t input, std::int32_t height, std::int32_t width,
                          std::int32_t channels) {
    Tensor t = tensor(input);
    t.name = "node" + std::to_string(program_.tensors.size());
    t.height = height;
    t.width = width;
    t.channels = channels;
    program_.tensors.push_back(t);
    return static_cast<std::int32_t>(program_.tensors.size()) - 1;
  }

  void fuse_relu(Tensor& t) {
    if (!draw_.chance(50)) return;
    t.code_min = std::max(t.code_min, t.zero_point);
    if (draw_.chance(50)) return;
    const double six = std::round(6.0f / std::bit_cast<float>(t.scale_bits));
    t.code_max = static_cast<std::int32_t>(std::min<double>(t.code_max, t.zero_point + six));
  }

  Weights make_weights(const WeightLayout& layout) {
    Weights w;
    w.bits = draw_.between(2, 8);
    w.affine = draw_.chance(40);
    const std::int32_t low = lowest_code(w) + (!w.affine && w.bits == 8 ? 1 : 0),
                       high = highest_code(w);
    const auto outputs = static_cast<std::int32_t>(layout.outputs);
    if (w.affine) {
      for (int c = draw_.chance(50) ? outputs : 1; c > 0; --c)
        w.zero_points.push_back(draw_.between(low, high));
    }
    for (int c = draw_.chance(60) ? outputs : 1; c > 0; --c) {
      w.scale_bits.push_back(bits_of(static_cast<float>(std::exp2(draw_.uniform(-9, -3)))));
    }
    const int zeros = draw_.chance(50) ? draw_.between(0, 100) : 0;
    const bool extremes = draw_.chance(15);
    for (std::int64_t i = 0; i < layout.count(); ++i) {
      std::int32_t code = extremes ? (draw_.chance(50) ? low : high) : draw_.between(low, high);
      if (draw_.chance(zeros)) code = zero_point(w, layout.channel(i));
      w.codes.push_back(static_cast<std::int8_t>(code));
    }
    return w;
  }

  double scale_of(const Weights& w, std::int64_t c) {
    return real(w.scale_bits[w.scale_bits.size() == 1 ? 0 : c]);
  }

  // Chooses the output's scale so that typical accumulators spread over the codes, often far too
  // widely or narrowly.
  template <class Layer>
  void finish_layer(Layer op) {
    const Tensor input = tensor(op.input);
    Tensor& output = tensor(op.output);
    const WeightLayout layout = weight_layout(op, input, output);
    op.weights = make_weights(layout);
    const double spread =
        std::sqrt(static_cast<double>(layout.taps)) * 40 * std::exp2(op.weights.bits - 2);
    for (std::int64_t c = 0; c < layout.outputs; ++c) {
      const double size = draw_.chance(5) ? 1 << 30 : draw_.uniform(0, 2 * spread);
      op.channels.bias.push_back(static_cast<std::int32_t>(draw_.chance(50) ? size : -size));
    }
    if (draw_.chance(40)) {
      for (std::int64_t c = 0; c < layout.outputs; ++c)
        op.channels.negate.push_back(draw_.chance(50) ? 1 : 0);
    }
    const double typical = real(input.scale_bits) * scale_of(op.weights, 0) * spread / 60;
    const double off = draw_.chance(20) ? draw_.uniform(-30, 14) : draw_.uniform(-2, 2);
    output.scale_bits = bits_of(static_cast<float>(std::max(typical * std::exp2(-off), 0x1p-90)));
    fuse_relu(output);
    while (!set_multipliers(op, input, output)) output.scale_bits += 1u << 23;  // twice the scale
    program_.operations.emplace_back(std::move(op));
  }

  // False where an accumulator could overflow.
  template <class Layer>
  bool set_multipliers(Layer& op, const Tensor& input, const Tensor& output) {
    const bool single = std::is_same_v<Layer, Dense> && op.weights.scale_bits.size() == 1;
    op.channels.multipliers.clear();
    for (std::int64_t c = 0; c < output.channels; ++c) {
      double product = real(input.scale_bits) * scale_of(op.weights, c);
      if (single) product = static_cast<double>(static_cast<float>(product));
      op.channels.multipliers.push_back(multiplier_of(product / real(output.scale_bits)));
    }
    const std::vector<std::int64_t> bounds = accumulator_bounds(op, input, output);
    for (std::int64_t c = 0; c < output.channels; ++c) {
      const int left = std::max(op.channels.multipliers[c].shift, 0);
      if (left > 30 || bounds[c] > (std::int64_t{0x7FFFFFFF} >> left)) return false;
    }
    return true;
  }

  // A window that fits, and the output's height and width.
  Window make_window(const Tensor& input, std::int32_t& height, std::int32_t& width) {
    Window w;
    const auto side = [&](std::int32_t size, std::int32_t& kernel, std::int32_t& stride,
                          std::int32_t& before, std::int32_t& after) {
      kernel = draw_.between(1, 5);
      stride = draw_.between(1, 3);
      before = draw_.chance(50) ? draw_.between(0, kernel - 1) : 0;
      after = draw_.chance(50) ? draw_.between(0, kernel - 1) : 0;
      if (kernel > size + before + after) {
        kernel = 1;
        before = after = 0;
      }
      return (size + before + after - kernel) / stride + 1;
    };
    height = side(input.height, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom);
    width = side(input.width, w.kernel_w, w.stride_w, w.pad_left, w.pad_right);
    return w;
  }

 private:
  Draw draw_;
  Program program_;
};

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

Program random_program(std::uint64_t seed) {
  Builder b(seed);
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
  constexpr void (*kAdd[])(Builder&, std::int32_t) = {
      add_conv2d,         add_depthwise, add_dense, add_pool<MaxPool2d>, add_pool<AveragePool2d>,
      add_global_average, add_add,       add_clamp, add_reshape};
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
  program.name = "small cnn";
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

}  // namespace pare::integer
