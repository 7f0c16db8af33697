// What an interpreter with TFLite's reference kernels makes of a file: every number comes from the
// file, multipliers from its float32 scales by the formulas of docs/arithmetic.md. Shares nothing
// with the writer but the schema's numbers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "compression/exporters/tflite/flatbuffer.h"
#include "compression/exporters/tflite/schema.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/validate.h"
#include "compression/lower/fixed_point.h"
#include "framework/base/error.h"

namespace pare {
namespace {

using namespace tflite;  // NOLINT: field ids would be unreadable otherwise
using integer::Program;
using integer::Tensor;
using integer::Window;

class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& what)
      : what_(what),
        model_(FlatView::root(file, kIdentifier, what)),
        graph_(model_.tables(model::subgraphs).at(0)),
        tensors_(graph_.tables(subgraph::tensors)),
        buffers_(model_.tables(model::buffers)),
        codes_(model_.tables(model::operator_codes)) {}

  Program read() {
    program_.name = model_.text(model::description);
    const std::int32_t input = graph_.vector<std::int32_t>(subgraph::inputs).at(0);
    const std::int32_t output = graph_.vector<std::int32_t>(subgraph::outputs).at(0);
    if (type(input) == Type::int8) program_.input = edge(input);
    for (const FlatView& op : graph_.tables(subgraph::operators)) read_operator(op);
    // Bytes at the ends: QUANTIZE moves them by 128, which is not part of the program.
    program_.output = quantized_.contains(output) ? quantized_.at(output) : edge(output);
    integer::validate(program_);
    return std::move(program_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(what_ + ": " + message);
  }

  const FlatView& view(std::int32_t t) const { return tensors_.at(static_cast<std::size_t>(t)); }
  Type type(std::int32_t t) const {
    return static_cast<Type>(view(t).scalar<std::int8_t>(tensor::type, 0));
  }
  std::vector<std::int32_t> shape(std::int32_t t) const {
    return view(t).vector<std::int32_t>(tensor::shape);
  }
  std::vector<float> scales(std::int32_t t) const {
    return view(t).table(tensor::quantization).vector<float>(quantization::scale);
  }
  template <class T>
  std::vector<T> data(std::int32_t t) const {
    const auto buffer = view(t).scalar<std::uint32_t>(tensor::buffer, 0);
    const std::vector<std::byte> bytes = buffers_.at(buffer).vector<std::byte>(buffer::data);
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

  // Our tensor of one of theirs.
  std::int32_t edge(std::int32_t t) {
    const auto [at, added] =
        edges_.try_emplace(t, static_cast<std::int32_t>(program_.tensors.size()));
    if (!added) return at->second;
    Tensor ours;
    ours.name = view(t).text(tensor::name);
    const std::vector<std::int32_t> sides = shape(t);
    if (sides.size() == 4) {
      ours.height = sides[1];
      ours.width = sides[2];
    } else if (sides.size() != 2) {
      fail("a tensor has " + std::to_string(sides.size()) + " dimensions");
    }
    ours.channels = sides.back();
    const FlatView q = view(t).table(tensor::quantization);
    ours.scale_bits = std::bit_cast<std::uint32_t>(q.vector<float>(quantization::scale).at(0));
    ours.zero_point =
        static_cast<std::int32_t>(q.vector<std::int64_t>(quantization::zero_point).at(0));
    program_.tensors.push_back(ours);
    return at->second;
  }
  Tensor& ours(std::int32_t edge) { return program_.tensors[static_cast<std::size_t>(edge)]; }
  double scale(std::int32_t edge) { return std::bit_cast<float>(ours(edge).scale_bits); }

  void activate(Tensor& t, Activation a) const {
    if (a == Activation::none) return;
    t.code_min = std::max(-128, t.zero_point);
    if (a != Activation::relu6) return;
    const double six = std::round(6.0f / std::bit_cast<float>(t.scale_bits));  // maybe infinity
    t.code_max = static_cast<std::int32_t>(std::min(127.0, t.zero_point + six));
  }

  integer::Multiplier multiplier(double real) const {
    const auto m = fixed_point(real);
    if (!m) fail("a multiplier is too large");
    return *m;
  }

  // Kernel sides are read already.
  void read_window(Window& w, std::int32_t from, std::int32_t to, Padding padding) {
    const auto in = shape(from), out = shape(to);
    if (padding == Padding::same) {
      const auto before = [](std::int32_t size, std::int32_t output, std::int32_t stride,
                             std::int32_t kernel) {
        return std::max(0, (output - 1) * stride + kernel - size);
      };
      const std::int32_t h = before(in.at(1), out.at(1), w.stride_h, w.kernel_h);
      const std::int32_t v = before(in.at(2), out.at(2), w.stride_w, w.kernel_w);
      w.pad_top = h / 2;
      w.pad_bottom = h - w.pad_top;
      w.pad_left = v / 2;
      w.pad_right = v - w.pad_left;
    }
    const auto padded = pads_.find(from);
    if (padded == pads_.end()) return;
    const std::vector<std::int32_t>& by = padded->second.second;
    w.pad_top += by.at(2);
    w.pad_bottom += by.at(3);
    w.pad_left += by.at(4);
    w.pad_right += by.at(5);
  }
  // Behind a PAD: what it reads.
  std::int32_t source(std::int32_t t) {
    const auto padded = pads_.find(t);
    return edge(padded == pads_.end() ? t : padded->second.first);
  }

  template <class Layer>
  void read_layer(Layer& op, std::int32_t weights, std::int32_t bias, std::int32_t to,
                  Activation activation) {
    op.output = edge(to);
    activate(ours(op.output), activation);
    op.weights.codes = data<std::int8_t>(weights);
    const std::vector<float> weight_scales = scales(weights);
    op.channels.bias = data<std::int32_t>(bias);
    for (const float s : weight_scales)
      op.weights.scale_bits.push_back(std::bit_cast<std::uint32_t>(s));
    const double in = scale(op.input), out = scale(op.output);
    const std::size_t channels = op.channels.bias.size();
    for (std::size_t c = 0; c < channels; ++c) {
      const double w = weight_scales[weight_scales.size() == 1 ? 0 : c];
      double product = in * w;
      if (std::is_same_v<Layer, integer::Dense> && weight_scales.size() == 1) {
        product = static_cast<float>(product);  // the product of one scale is a float
      }
      op.channels.multipliers.push_back(multiplier(product / out));
    }
    program_.operations.emplace_back(std::move(op));
  }

  struct Operator {
    std::vector<std::int32_t> in;
    std::int32_t out;
    const FlatView& view;
    FlatView options() const { return view.table(operation::options); }
  };

  void read_operator(const FlatView& view) {
    const Operator op{view.vector<std::int32_t>(operation::inputs),
                      view.vector<std::int32_t>(operation::outputs).at(0), view};
    const FlatView& code = codes_.at(view.scalar<std::uint32_t>(operation::opcode, 0));
    switch (static_cast<Builtin>(code.scalar<std::int32_t>(operator_code::builtin, 0))) {
      case Builtin::conv2d:
        return read_conv(op);
      case Builtin::depthwise_conv2d:
        return read_depthwise(op);
      case Builtin::fully_connected:
        return read_dense(op);
      case Builtin::max_pool:
        return read_pool<integer::MaxPool2d>(op);
      case Builtin::average_pool:
        return read_pool<integer::AveragePool2d>(op);
      case Builtin::mean:
        return read_mean(op);
      case Builtin::add:
        return read_add(op);
      case Builtin::relu:
        return read_clamp(op, Activation::relu);
      case Builtin::relu6:
        return read_clamp(op, Activation::relu6);
      case Builtin::reshape: {
        const std::int32_t from = edge(op.in.at(0)), to = edge(op.out);
        inherit(from, to);
        program_.operations.emplace_back(integer::Reshape{from, to});
        return;
      }
      case Builtin::pad:
        pads_[op.out] = {op.in.at(0), data<std::int32_t>(op.in.at(1))};
        return;
      case Builtin::quantize:
        if (type(op.in.at(0)) == Type::uint8)
          program_.input = edge(op.out);
        else
          quantized_[op.out] = edge(op.in.at(0));
        return;
    }
    fail("an operator is none of ours");
  }

  // Codes that only move keep the range that their producer clamped them to.
  void inherit(std::int32_t from, std::int32_t to) {
    ours(to).code_min = ours(from).code_min;
    ours(to).code_max = ours(from).code_max;
  }

  void read_conv(const Operator& o) {
    const FlatView options = o.options();
    integer::Conv2d op;
    const std::vector<std::int32_t> filter = shape(o.in.at(1));
    op.window.kernel_h = filter.at(1);
    op.window.kernel_w = filter.at(2);
    op.window.stride_w = options.scalar<std::int32_t>(conv2d::stride_w, 0);
    op.window.stride_h = options.scalar<std::int32_t>(conv2d::stride_h, 0);
    read_window(op.window, o.in[0], o.out,
                Padding{options.scalar<std::int8_t>(conv2d::padding, 0)});
    op.input = source(o.in[0]);
    op.groups = ours(op.input).channels / filter.at(3);
    read_layer(op, o.in[1], o.in.at(2), o.out,
               Activation{options.scalar<std::int8_t>(conv2d::activation, 0)});
  }

  void read_depthwise(const Operator& o) {
    const FlatView options = o.options();
    integer::DepthwiseConv2d op;
    const std::vector<std::int32_t> filter = shape(o.in.at(1));
    op.window.kernel_h = filter.at(1);
    op.window.kernel_w = filter.at(2);
    op.window.stride_w = options.scalar<std::int32_t>(depthwise::stride_w, 0);
    op.window.stride_h = options.scalar<std::int32_t>(depthwise::stride_h, 0);
    read_window(op.window, o.in[0], o.out,
                Padding{options.scalar<std::int8_t>(depthwise::padding, 0)});
    op.input = source(o.in[0]);
    read_layer(op, o.in[1], o.in.at(2), o.out,
               Activation{options.scalar<std::int8_t>(depthwise::activation, 0)});
  }

  void read_dense(const Operator& o) {
    integer::Dense op;
    op.input = edge(o.in.at(0));
    read_layer(op, o.in.at(1), o.in.at(2), o.out,
               Activation{o.options().scalar<std::int8_t>(fully_connected::activation, 0)});
  }

  template <class Pool>
  void read_pool(const Operator& o) {
    const FlatView options = o.options();
    Pool op;
    op.window.kernel_h = options.scalar<std::int32_t>(pool::filter_h, 0);
    op.window.kernel_w = options.scalar<std::int32_t>(pool::filter_w, 0);
    op.window.stride_w = options.scalar<std::int32_t>(pool::stride_w, 0);
    op.window.stride_h = options.scalar<std::int32_t>(pool::stride_h, 0);
    read_window(op.window, o.in.at(0), o.out,
                Padding{options.scalar<std::int8_t>(pool::padding, 0)});
    op.input = source(o.in[0]);
    op.output = edge(o.out);
    activate(ours(op.output), Activation{options.scalar<std::int8_t>(pool::activation, 0)});
    program_.operations.emplace_back(op);
  }

  void read_mean(const Operator& o) {
    integer::GlobalAverage op;
    op.input = edge(o.in.at(0));
    op.output = edge(o.out);
    const Tensor& in = ours(op.input);
    op.multiplier = divide_by_count(multiplier(scale(op.input) / scale(op.output)),
                                    std::int64_t{in.height} * in.width);
    program_.operations.emplace_back(op);
  }

  void read_add(const Operator& o) {
    integer::Add op;
    op.a = edge(o.in.at(0));
    op.b = edge(o.in.at(1));
    op.output = edge(o.out);
    activate(ours(op.output), Activation{o.options().scalar<std::int8_t>(addition::activation, 0)});
    const double twice = 2 * std::max(scale(op.a), scale(op.b));
    op.scale_a = multiplier(scale(op.a) / twice);
    op.scale_b = multiplier(scale(op.b) / twice);
    op.scale_output = multiplier(twice / ((1 << integer::kAddLeftShift) * scale(op.output)));
    program_.operations.emplace_back(op);
  }

  void read_clamp(const Operator& o, Activation activation) {
    const std::int32_t from = edge(o.in.at(0)), to = edge(o.out);
    activate(ours(to), activation);
    program_.operations.emplace_back(integer::Clamp{from, to});
  }

  const std::string what_;
  FlatView model_, graph_;
  std::vector<FlatView> tensors_, buffers_, codes_;
  Program program_;
  std::map<std::int32_t, std::int32_t> edges_;  // theirs -> ours
  std::map<std::int32_t, std::pair<std::int32_t, std::vector<std::int32_t>>> pads_;
  std::map<std::int32_t, std::int32_t> quantized_;  // bytes -> our tensor
};

}  // namespace

Program decode_tflite(std::span<const std::byte> file, const std::string& what) {
  return Reader(file, what).read();
}

}  // namespace pare
