// Grows a random program tensor by tensor: grids, weights and multipliers are drawn, shapes are the
// caller's.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"
#include "tests/integer/random_program.h"

namespace pare::integer {

inline std::uint32_t bits_of(float scale) { return std::bit_cast<std::uint32_t>(scale); }
inline double real(std::uint32_t bits) { return static_cast<double>(std::bit_cast<float>(bits)); }

class Builder {
 public:
  explicit Builder(std::uint64_t seed, Grids grids = Grids::all) : draw_(seed), grids_(grids) {
    program_.name = "random_" + std::to_string(seed);
    program_.rounding =
        draw_.chance(50) || grids_ == Grids::int8 ? Rounding::twice : Rounding::once;
  }

  Draw& draw() { return draw_; }
  Program& program() { return program_; }
  Tensor& tensor(std::int32_t t) { return program_.tensors[t]; }

  // A tensor on a random grid of 2 to 8 bits, by a fused relu or relu6 cut at its zero point.
  std::int32_t add_tensor(std::int32_t height, std::int32_t width, std::int32_t channels) {
    Tensor t{"node" + std::to_string(program_.tensors.size()), height, width, channels};
    const std::int32_t bits = draw_.chance(70) || grids_ == Grids::int8 ? 8 : draw_.between(2, 7);
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
    w.affine = draw_.chance(40) && grids_ == Grids::all;
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
    draw_fraction_bits(op);
    const double unit = 1 << op.channels.fraction_bits;
    for (std::int64_t c = 0; c < layout.outputs; ++c) {
      const double size = draw_.chance(5) ? 1 << 30 : draw_.uniform(0, 2 * spread * unit);
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

  template <class Layer>
  void draw_fraction_bits(Layer& op) {
    const std::int32_t most = most_fraction_bits(op.weights);
    if (draw_.chance(60)) op.channels.fraction_bits = draw_.between(0, most);
  }

  // False where an accumulator could overflow.
  template <class Layer>
  bool set_multipliers(Layer& op, const Tensor& input, const Tensor& output) {
    const bool single = std::is_same_v<Layer, Dense> && op.weights.scale_bits.size() == 1;
    op.channels.multipliers.clear();
    for (std::int64_t c = 0; c < output.channels; ++c) {
      double product = real(input.scale_bits) * scale_of(op.weights, c);
      if (single) product = static_cast<double>(static_cast<float>(product));
      product = std::ldexp(product, -op.channels.fraction_bits);
      op.channels.multipliers.push_back(multiplier_of(product / real(output.scale_bits)));
    }
    const std::vector<std::int64_t> bounds = accumulator_bounds(op, input, output);
    for (std::int64_t c = 0; c < output.channels; ++c) {
      const int left = std::max(op.channels.multipliers[c].shift, 0);
      if (left > 30 - op.channels.fraction_bits || bounds[c] > (std::int64_t{0x7FFFFFFF} >> left))
        return false;
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
  const Grids grids_;
  Program program_;
};

// One operation of any kind that reads tensor `input`.
void add_random_operation(Builder& b, std::int32_t input);

}  // namespace pare::integer
