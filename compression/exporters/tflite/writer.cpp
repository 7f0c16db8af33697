// Operations become operators in order. A tensor has the shape [N, height, width, channels], or
// [N, n] behind FULLY_CONNECTED, MEAN and RESHAPE to a vector; where a window reads such a vector,
// a RESHAPE gives it four dimensions.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <type_traits>

#include "compression/exporters/refusal.h"
#include "compression/exporters/tflite/flatbuffer.h"
#include "compression/exporters/tflite/schema.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/operations.h"
#include "framework/base/error.h"

namespace pare {
namespace {

using namespace tflite;  // NOLINT: field ids would be unreadable otherwise
using integer::Program;
using integer::Tensor;
using integer::Window;

float scale_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

// What the reference kernels make of each activation's range.
bool is_range(const Tensor& t, Activation activation) {
  const std::int32_t relu_low = std::max(-128, t.zero_point);
  const double six = std::round(6.0f / scale_of(t.scale_bits));  // maybe infinity
  switch (activation) {
    case Activation::none:
      return t.code_min == -128 && t.code_max == 127;
    case Activation::relu:
      return t.code_min == relu_low && t.code_max == 127;
    case Activation::relu6:
      return t.code_min == relu_low &&
             t.code_max == static_cast<std::int32_t>(std::min(127.0, t.zero_point + six));
  }
  return false;
}

std::optional<Activation> activation_of(const Tensor& t) {
  for (const Activation a : {Activation::none, Activation::relu, Activation::relu6}) {
    if (is_range(t, a)) return a;
  }
  return std::nullopt;
}

bool is_same(const Window& w, const Tensor& in, const Tensor& out) {
  const auto side = [](std::int32_t size, std::int32_t kernel, std::int32_t stride,
                       std::int32_t before, std::int32_t after, std::int32_t output) {
    const std::int32_t same = (size + stride - 1) / stride;
    const std::int32_t total = std::max(0, (same - 1) * stride + kernel - size);
    return output == same && before == total / 2 && before + after >= total;
  };
  return side(in.height, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom, out.height) &&
         side(in.width, w.kernel_w, w.stride_w, w.pad_left, w.pad_right, out.width);
}

bool is_valid(const Window& w) {
  return w.pad_top == 0 && w.pad_left == 0 && w.pad_bottom == 0 && w.pad_right == 0;
}

class Writer {
 public:
  // `real`: in float32.
  Writer(const Program& program, bool bytes, bool real, std::int32_t images)
      : program_(program), bytes_(bytes), real_(real), images_(images) {
    buffers_.emplace_back();  // the first one is empty by definition
    for (const Tensor& t : program.tensors) names_.insert(t.name);
  }

  std::vector<std::byte> write() {
    if (!real_ && program_.rounding != integer::Rounding::twice) {
      throw ConfigError(
          "model '" + program_.name +
          "': TFLite's reference kernels round twice, this model rounds once, so that codes would "
          "differ; train with \"requantization\": {\"rounding\": \"double\"}");
    }
    const std::int32_t input = begin_input();
    for (std::size_t k = 0; k < program_.operations.size(); ++k) {
      place_ = {&program_, k, "TFLite"};
      std::visit([&](const auto& op) { add(op); }, program_.operations[k]);
    }
    const std::int32_t output = end_output();
    FlatTable graph;
    graph.tables(subgraph::tensors, tensors_)
        .vector<std::int32_t>(subgraph::inputs, {input})
        .vector<std::int32_t>(subgraph::outputs, {output})
        .tables(subgraph::operators, operators_)
        .text(subgraph::name, "main");
    FlatTable root;
    root.scalar(model::version, kVersion)
        .tables(model::operator_codes, codes_)
        .tables(model::subgraphs, {graph})
        .text(model::description, program_.name)
        .tables(model::buffers, buffers_);
    return encode_flatbuffer(root, kIdentifier);
  }

 private:
  using Shape = std::vector<std::int32_t>;

  const Tensor& tensor_of(std::int32_t index) const {
    return program_.tensors[static_cast<std::size_t>(index)];
  }
  Shape image(const Tensor& t) const { return {images_, t.height, t.width, t.channels}; }

  // A name that no tensor has, neither of the program nor of the file.
  std::string unused(const std::string& base) {
    std::string name = base.substr(0, integer::kMaxNameLength);
    for (int i = 2; !names_.insert(name).second; ++i) {
      const std::string number = "_" + std::to_string(i);
      name = base.substr(0, integer::kMaxNameLength - number.size()) + number;
    }
    return name;
  }

  // Index of a new tensor that is none of the program's. Constants have data.
  std::int32_t new_tensor(const std::string& base, const Shape& shape, Type type,
                          const FlatTable& grid, const std::vector<std::int8_t>& data = {}) {
    return append_tensor(unused(base), shape, type, grid, data);
  }

  std::int32_t append_tensor(const std::string& name, const Shape& shape, Type type,
                             const FlatTable& grid, const std::vector<std::int8_t>& data = {}) {
    FlatTable t;
    t.vector(tensor::shape, shape)
        .scalar(tensor::type, type)
        .scalar(tensor::buffer, static_cast<std::uint32_t>(data.empty() ? 0 : buffers_.size()))
        .text(tensor::name, name)
        .table(tensor::quantization, grid);
    if (!data.empty()) {
      FlatTable b;
      b.vector(buffer::data, data, 16);
      buffers_.push_back(std::move(b));
    }
    tensors_.push_back(std::move(t));
    return static_cast<std::int32_t>(tensors_.size()) - 1;
  }

  static FlatTable grid(const std::vector<float>& scales, std::int64_t zero_point, int dimension) {
    FlatTable q;
    q.vector(quantization::scale, scales)
        .vector(quantization::zero_point, std::vector<std::int64_t>(scales.size(), zero_point))
        .scalar(quantization::dimension, dimension);
    return q;
  }
  static FlatTable grid(const Tensor& t, std::int32_t shift = 0) {
    return grid({scale_of(t.scale_bits)}, t.zero_point + shift, 0);
  }

  std::int32_t ints(const std::string& name, const Shape& shape,
                    const std::vector<std::int32_t>& values, const FlatTable& q = {}) {
    return new_tensor(name, shape, Type::int32, q, raw(values));
  }
  template <class T>
  static std::vector<std::int8_t> raw(const std::vector<T>& values) {
    std::vector<std::int8_t> data(values.size() * sizeof(T));
    std::memcpy(data.data(), values.data(), data.size());
    return data;
  }

  // The numbers that codes with zero point 0 stand for. scale(i): of code i.
  template <class Code, class Scale>
  std::int32_t reals(const std::string& name, const Shape& shape, const std::vector<Code>& codes,
                     const Scale& scale) {
    std::vector<float> values;
    for (std::size_t i = 0; i < codes.size(); ++i)
      values.push_back(static_cast<float>(codes[i]) * scale(static_cast<std::int64_t>(i)));
    return new_tensor(name, shape, Type::float32, {}, raw(values));
  }

  // The tensor of an edge, as a new one.
  std::int32_t edge(std::int32_t index, const Shape& shape) {
    const Tensor& t = tensor_of(index);
    shapes_[index] = shape;
    return edges_[index] = append_tensor(t.name, shape, number_type(), number_grid(t));
  }

  // A tensor with the numbers of `t` under another shape.
  std::int32_t like(const Tensor& t, const std::string& base, const Shape& shape) {
    return new_tensor(base, shape, number_type(), number_grid(t));
  }
  Type number_type() const { return real_ ? Type::float32 : Type::int8; }
  FlatTable number_grid(const Tensor& t) const { return real_ ? FlatTable{} : grid(t); }

  void add_operator(Builtin builtin, std::int32_t version, const std::vector<std::int32_t>& inputs,
                    std::int32_t output, int options_type, const FlatTable& options) {
    const auto [at, added] = code_of_.try_emplace({builtin, version}, codes_.size());
    if (added) {
      const auto number = static_cast<std::int32_t>(builtin);
      FlatTable code;
      code.scalar(operator_code::deprecated_builtin,
                  static_cast<std::int8_t>(std::min(number, 127)))
          .scalar(operator_code::version, version)
          .scalar(operator_code::builtin, number);
      codes_.push_back(std::move(code));
    }
    FlatTable op;
    op.scalar(operation::opcode, static_cast<std::uint32_t>(at->second))
        .vector(operation::inputs, inputs)
        .vector<std::int32_t>(operation::outputs, {output});
    if (options_type != 0) {
      op.scalar(operation::options_type, static_cast<std::uint8_t>(options_type))
          .table(operation::options, options);
    }
    operators_.push_back(std::move(op));
  }

  std::int32_t begin_input() {
    const Tensor& in = tensor_of(program_.input);
    if (!bytes_) return edge(program_.input, image(in));
    const std::int32_t outside =
        new_tensor(in.name + "_uint8", image(in), Type::uint8, grid(in, 128));
    add_operator(Builtin::quantize, 1, {outside}, edge(program_.input, image(in)), quantize::type,
                 {});
    return outside;
  }

  std::int32_t end_output() {
    const std::int32_t inside = edges_.at(program_.output);
    if (!bytes_) return inside;
    const Tensor& out = tensor_of(program_.output);
    const std::int32_t outside =
        new_tensor(out.name + "_uint8", shapes_.at(program_.output), Type::uint8, grid(out, 128));
    add_operator(Builtin::quantize, 1, {inside}, outside, quantize::type, {});
    return outside;
  }

  // An edge with four dimensions.
  std::int32_t as_image(std::int32_t index) {
    if (shapes_.at(index).size() == 4) return edges_.at(index);
    const Tensor& t = tensor_of(index);
    const std::int32_t reshaped = like(t, t.name + "_image", image(t));
    add_reshape(edges_.at(index), reshaped, image(t));
    return reshaped;
  }

  void add_reshape(std::int32_t from, std::int32_t to, const Shape& shape) {
    FlatTable options;
    options.vector(reshape::new_shape, shape);
    const std::int32_t constant =
        ints("shape" + std::to_string(to), {static_cast<std::int32_t>(shape.size())}, shape);
    add_operator(Builtin::reshape, 1, {from, constant}, to, reshape::type, options);
  }

  std::int8_t fused(const Tensor& out) const {
    const std::optional<Activation> activation = activation_of(out);
    if (activation) return static_cast<std::int8_t>(*activation);
    place_.refuse(
        "has codes " + std::to_string(out.code_min) + " .. " + std::to_string(out.code_max) +
            " with the zero point " + std::to_string(out.zero_point) +
            "; TFLite clamps at the ends of int8, at the zero point (relu) and at 6 (relu6)",
        "activations of 8 bits, or fewer bits behind a relu");
  }

  // The input and the padding with which a window reads it; PAD before it where it must be.
  std::pair<std::int32_t, Padding> padded(std::int32_t index, const Window& w, const Tensor& out) {
    const Tensor& in = tensor_of(index);
    const std::int32_t from = as_image(index);
    if (is_valid(w)) return {from, Padding::valid};
    if (is_same(w, in, out)) return {from, Padding::same};
    const Shape shape = {images_, in.height + w.pad_top + w.pad_bottom,
                         in.width + w.pad_left + w.pad_right, in.channels};
    const std::string name = in.name + "_padded" + std::to_string(tensors_.size());
    const std::int32_t pads =
        ints(name + "_by", {4, 2}, {0, 0, w.pad_top, w.pad_bottom, w.pad_left, w.pad_right, 0, 0});
    const std::int32_t to = like(in, name, shape);
    add_operator(Builtin::pad, 2, {from, pads}, to, pad::type, {});
    return {to, Padding::valid};
  }

  // Codes with the channels' signs applied, in the unit of the biases.
  std::vector<std::int8_t> plain_codes(const integer::Weights& w, const integer::Channels& channels,
                                       const integer::WeightLayout& layout) const {
    for (const std::int32_t z : w.zero_points) {
      if (z == 0) continue;
      place_.refuse("has weights with a zero point (scheme affine); TFLite's weights have none",
                    "\"weights\": {\"scheme\": \"symmetric\"}");
    }
    const int unit = 1 << channels.fraction_bits;
    std::vector<std::int8_t> codes = w.codes;
    for (std::int64_t i = 0; i < layout.count(); ++i) {
      std::int8_t& code = codes[static_cast<std::size_t>(i)];
      const bool negate = !channels.negate.empty() &&
                          channels.negate[static_cast<std::size_t>(layout.channel(i))] != 0;
      code = static_cast<std::int8_t>(negate ? -code * unit : code * unit);
    }
    return codes;
  }

  // Tensors of weights and bias.
  template <class Layer>
  std::pair<std::int32_t, std::int32_t> constants(const Layer& op, const Shape& shape,
                                                  int dimension) {
    const Tensor& in = tensor_of(op.input);
    const Tensor& out = tensor_of(op.output);
    const integer::WeightLayout layout = weight_layout(op, in, out);
    std::vector<float> scales, bias_scales;
    const int unit = 1 << op.channels.fraction_bits;
    for (const std::uint32_t bits : op.weights.scale_bits)
      scales.push_back(scale_of(bits) / static_cast<float>(unit));
    for (const float s : scales) bias_scales.push_back(scale_of(in.scale_bits) * s);
    const std::vector<std::int8_t> codes = plain_codes(op.weights, op.channels, layout);
    const std::string weights = out.name + "_weights", bias = out.name + "_bias";
    if (real_) {
      return {
          reals(weights, shape, codes,
                [&](std::int64_t i) { return scales[scales.size() > 1 ? layout.channel(i) : 0]; }),
          reals(bias, {out.channels}, op.channels.bias,
                [&](std::int64_t c) { return bias_scales[bias_scales.size() > 1 ? c : 0]; })};
    }
    return {new_tensor(weights, shape, Type::int8, grid(scales, 0, dimension), codes),
            ints(bias, {out.channels}, op.channels.bias, grid(bias_scales, 0, 0))};
  }

  void add(const integer::Conv2d& op) {
    const Tensor &in = tensor_of(op.input), &out = tensor_of(op.output);
    const Window& w = op.window;
    FlatTable options;
    options.scalar(conv2d::activation, fused(out));
    const auto [from, padding] = padded(op.input, w, out);
    const auto [weights, bias] =
        constants(op, {out.channels, w.kernel_h, w.kernel_w, in.channels / op.groups}, 0);
    options.scalar(conv2d::padding, padding)
        .scalar(conv2d::stride_w, w.stride_w)
        .scalar(conv2d::stride_h, w.stride_h)
        .scalar(4, 1)  // dilation
        .scalar(5, 1);
    add_operator(Builtin::conv2d, op.groups > 1 ? 6 : 3, {from, weights, bias},
                 edge(op.output, image(out)), conv2d::type, options);
  }

  void add(const integer::DepthwiseConv2d& op) {
    const Tensor &in = tensor_of(op.input), &out = tensor_of(op.output);
    const Window& w = op.window;
    FlatTable options;
    options.scalar(depthwise::activation, fused(out));
    const auto [from, padding] = padded(op.input, w, out);
    const auto [weights, bias] = constants(op, {1, w.kernel_h, w.kernel_w, out.channels}, 3);
    options.scalar(depthwise::padding, padding)
        .scalar(depthwise::stride_w, w.stride_w)
        .scalar(depthwise::stride_h, w.stride_h)
        .scalar(depthwise::multiplier, out.channels / in.channels)
        .scalar(5, 1)  // dilation
        .scalar(6, 1);
    add_operator(Builtin::depthwise_conv2d, 3, {from, weights, bias}, edge(op.output, image(out)),
                 depthwise::type, options);
  }

  void add(const integer::Dense& op) {
    const Tensor &in = tensor_of(op.input), &out = tensor_of(op.output);
    FlatTable options;
    options.scalar(fully_connected::activation, fused(out));
    std::int32_t from = edges_.at(op.input);
    const auto size = static_cast<std::int32_t>(in.size());
    if (shapes_.at(op.input).size() == 4) {
      from = like(in, in.name + "_flat" + std::to_string(tensors_.size()), {images_, size});
      add_reshape(edges_.at(op.input), from, {images_, size});
    }
    const auto [weights, bias] = constants(op, {out.channels, size}, 0);
    add_operator(Builtin::fully_connected, 4, {from, weights, bias},
                 edge(op.output, {images_, out.channels}), fully_connected::type, options);
  }

  template <class Pool>
  void add_pool(const Pool& op, Builtin builtin) {
    const Tensor &in = tensor_of(op.input), &out = tensor_of(op.output);
    const Window& w = op.window;
    // PAD puts zero points into the window: no harm to a maximum where no code lies below them.
    const bool explicit_pad = !is_valid(w) && !is_same(w, in, out);
    if (explicit_pad && (builtin == Builtin::average_pool || in.code_min < in.zero_point)) {
      place_.refuse("has a padding that is neither VALID nor SAME",
                    "\"padding\": \"valid\" or \"same\"");
    }
    FlatTable options;
    options.scalar(pool::activation, fused(out));
    const auto [from, padding] = padded(op.input, w, out);
    options.scalar(pool::padding, padding)
        .scalar(pool::stride_w, w.stride_w)
        .scalar(pool::stride_h, w.stride_h)
        .scalar(pool::filter_w, w.kernel_w)
        .scalar(pool::filter_h, w.kernel_h);
    add_operator(builtin, 2, {from}, edge(op.output, image(out)), pool::type, options);
  }
  void add(const integer::MaxPool2d& op) { add_pool(op, Builtin::max_pool); }
  void add(const integer::AveragePool2d& op) { add_pool(op, Builtin::average_pool); }

  void add(const integer::GlobalAverage& op) {
    const Tensor& out = tensor_of(op.output);
    const std::int32_t from = as_image(op.input);
    const std::int32_t axes = ints(out.name + "_axes", {2}, {1, 2});
    FlatTable options;
    options.scalar(reducer::keep_dims, std::uint8_t{0});
    if (is_range(out, Activation::none)) {
      add_operator(Builtin::mean, 2, {from, axes}, edge(op.output, {images_, out.channels}),
                   reducer::type, options);
      return;
    }
    // MEAN has no activation of its own.
    const std::int32_t mean = like(out, out.name + "_mean", {images_, out.channels});
    add_operator(Builtin::mean, 2, {from, axes}, mean, reducer::type, options);
    add_activation(mean, op.output, {images_, out.channels});
  }

  void add(const integer::Clamp& op) {
    add_activation(edges_.at(op.input), op.output, shapes_.at(op.input));
  }

  void add_activation(std::int32_t from, std::int32_t output, const Shape& shape) {
    const Tensor& out = tensor_of(output);
    const bool relu6 = is_range(out, Activation::relu6) && !is_range(out, Activation::relu);
    fused(out);
    if (is_range(out, Activation::none)) {  // nothing is cut off
      edges_[output] = from;
      shapes_[output] = shape;
      return;
    }
    add_operator(relu6 ? Builtin::relu6 : Builtin::relu, 2, {from}, edge(output, shape), 0, {});
  }

  void add(const integer::Add& op) {
    const Tensor& out = tensor_of(op.output);
    FlatTable options;
    options.scalar(addition::activation, fused(out));
    const std::int32_t a = as_image(op.a), b = as_image(op.b);
    add_operator(Builtin::add, 2, {a, b}, edge(op.output, image(out)), addition::type, options);
  }

  void add(const integer::Reshape& op) {
    const Tensor& out = tensor_of(op.output);
    const Shape shape = out.height * out.width == 1 ? Shape{images_, out.channels} : image(out);
    const std::int32_t from = edges_.at(op.input);
    add_reshape(from, edge(op.output, shape), shape);
  }

  const Program& program_;
  const bool bytes_;
  const bool real_;
  const std::int32_t images_;
  Refusal place_{nullptr, 0, ""};
  std::vector<FlatTable> tensors_, buffers_, operators_, codes_;
  std::map<std::pair<Builtin, std::int32_t>, std::size_t> code_of_;
  std::map<std::int32_t, std::int32_t> edges_;  // our tensor -> TFLite's
  std::map<std::int32_t, Shape> shapes_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<std::byte> encode_tflite(const Program& program, bool bytes, std::int32_t images) {
  return Writer(program, bytes, false, images).write();
}

std::vector<std::byte> encode_float_tflite(const Program& program, std::int32_t images) {
  return Writer(program, false, true, images).write();
}

}  // namespace pare
