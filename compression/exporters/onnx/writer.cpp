// Operations become nodes in order. The codes of an edge exist in the forms that its readers need:
// channels first for windows, flat for dense layers. Codes are moved as integers, before
// DequantizeLinear, so that nothing around Flatten and Transpose is floating point. Codes are bytes
// (code + 128): onnxruntime multiplies bytes by signed weights on x86, and leaves layers in
// floating point where signed codes touch a graph's end or a Flatten.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "compression/exporters/onnx/onnx.h"
#include "compression/exporters/refusal.h"
#include "compression/integer/operations.h"

namespace pare {
namespace {

using namespace onnx;  // NOLINT: one word for each of its types
using integer::Program;
using integer::Tensor;
using integer::Window;

float scale_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

template <class T>
std::vector<std::byte> raw(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

Attribute one(std::int64_t value) { return {false, {value}}; }
Attribute list(std::vector<std::int64_t> values) { return {true, std::move(values)}; }

class Writer {
 public:
  Writer(const Program& program, bool bytes)
      : program_(program), bytes_(bytes), names_(onnx_names(program)), forms_(names_.size()) {
    used_.insert(names_.begin(), names_.end());
  }

  Graph write() {
    graph_.name = program_.name;
    begin_input();
    for (std::size_t k = 0; k < program_.operations.size(); ++k) {
      place_ = {&program_, k, "ONNX"};
      std::visit([&](const auto& op) { add(op); }, program_.operations[k]);
    }
    end_output();
    return std::move(graph_);
  }

 private:
  // Names of the codes of an edge, "" where nobody asked for that form yet.
  struct Forms {
    std::string image;  // [N, channels, height, width]
    std::string last;   // [N, height, width, channels]
    std::string flat;   // [N, n], in that order
    // Of which edge this one is a reshape.
    std::optional<std::int32_t> source;
  };

  const Tensor& tensor_of(std::int32_t t) const {
    return program_.tensors[static_cast<std::size_t>(t)];
  }
  Forms& forms(std::int32_t t) { return forms_[static_cast<std::size_t>(t)]; }
  const std::string& name_of(std::int32_t t) const { return names_[static_cast<std::size_t>(t)]; }
  static bool is_vector(const Tensor& t) { return t.height == 1 && t.width == 1; }

  std::string unused(const std::string& base) {
    std::string name = base;
    for (int i = 2; !used_.insert(name).second; ++i) name = base + "_" + std::to_string(i);
    return name;
  }

  std::string constant(const std::string& name, Type type, Dims dims, std::vector<std::byte> data) {
    graph_.constants.push_back({unused(name), type, std::move(dims), std::move(data)});
    return graph_.constants.back().name;
  }

  std::string node(const char* kind, std::vector<std::string> inputs, const std::string& output,
                   std::map<std::string, Attribute> attributes = {}) {
    graph_.nodes.push_back({kind, std::move(inputs), output, std::move(attributes)});
    return output;
  }

  // ---- Grids.

  struct GridNames {
    std::string scale, zero;
  };
  // uint8, or int8 at the ends of the graph.
  GridNames grid(const Tensor& t, Type type) {
    const auto [at, added] = grids_.try_emplace({t.scale_bits, t.zero_point, type});
    if (added) {
      const auto zero = static_cast<std::uint8_t>(t.zero_point + (type == Type::uint8 ? 128 : 0));
      at->second = {constant(t.name + "_scale", Type::float32, {},
                             raw(std::vector<float>{scale_of(t.scale_bits)})),
                    constant(t.name + "_zero", type, {}, raw(std::vector<std::uint8_t>{zero}))};
    }
    return at->second;
  }
  // A new node for every reader: engines fuse a DequantizeLinear with one reader only.
  std::string real(const std::string& codes, const Tensor& t, Type type = Type::uint8) {
    const GridNames g = grid(t, type);
    return node("DequantizeLinear", {codes, g.scale, g.zero}, unused(codes + "_real"));
  }
  std::string codes(const std::string& value, const Tensor& t, const std::string& output,
                    Type type = Type::uint8) {
    const GridNames g = grid(t, type);
    return node("QuantizeLinear", {value, g.scale, g.zero}, output);
  }

  // The end of a group: its clamp where that is narrower than a byte, then codes. QuantizeLinear
  // saturates at the ends, which is a relu where the zero point is the lower one.
  std::string finish(std::string value, std::int32_t output) {
    const Tensor& t = tensor_of(output);
    if (t.code_min != -128 || t.code_max != 127) {
      const std::string clamped = unused(name_of(output) + "_clamped");
      if (t.code_min == t.zero_point && t.code_max == 127) {
        value = node("Relu", {value}, clamped);
      } else {
        value = node("Clip", {value, bound(t, t.code_min), bound(t, t.code_max)}, clamped);
      }
    }
    return codes(value, t, name_of(output));
  }
  std::string bound(const Tensor& t, std::int32_t code) {
    const float value = static_cast<float>(code - t.zero_point) * scale_of(t.scale_bits);
    if (!std::isfinite(value)) refuse_scale();
    return constant(t.name + "_bound", Type::float32, {}, raw(std::vector<float>{value}));
  }
  [[noreturn]] void refuse_scale() const {
    place_.refuse("has a grid whose product of scales is no float32",
                  "ranges between 1e-15 and 1e15");
  }

  // ---- Forms of an edge.

  std::string reshaped(const std::string& from, const std::string& base, Dims dims) {
    dims.insert(dims.begin(), 0);  // the batch stays
    const std::string shape =
        constant(base + "_shape", Type::int64, {static_cast<std::int64_t>(dims.size())}, raw(dims));
    return node("Reshape", {from, shape}, unused(base));
  }

  const std::string& flat(std::int32_t t) {
    Forms& f = forms(t);
    if (!f.flat.empty()) return f.flat;
    if (f.source) return f.flat = flat(*f.source);
    const std::string from = is_vector(tensor_of(t)) && f.last.empty() ? f.image : last(t);
    return f.flat = node("Flatten", {from}, unused(name_of(t) + "_flat"), {{"axis", one(1)}});
  }

  const std::string& last(std::int32_t t) {
    Forms& f = forms(t);
    const Tensor& shape = tensor_of(t);
    if (!f.last.empty()) return f.last;
    const std::string base = name_of(t) + "_last";
    if (f.image.empty()) {
      return f.last = reshaped(flat(t), base, {shape.height, shape.width, shape.channels});
    }
    return f.last = node("Transpose", {f.image}, unused(base), {{"perm", list({0, 2, 3, 1})}});
  }

  const std::string& image(std::int32_t t) {
    Forms& f = forms(t);
    if (!f.image.empty()) return f.image;
    const std::string base = name_of(t) + "_first";
    if (is_vector(tensor_of(t))) {
      return f.image = reshaped(flat(t), base, {tensor_of(t).channels, 1, 1});
    }
    return f.image = node("Transpose", {last(t)}, unused(base), {{"perm", list({0, 3, 1, 2})}});
  }

  void begin_input() {
    const Tensor& in = tensor_of(program_.input);
    const std::string& name = name_of(program_.input);
    graph_.input = {name, Type::uint8, {in.height, in.width, in.channels}};
    forms(program_.input).last = name;
    if (bytes_) return;
    graph_.input.name = unused(name + "_int8");
    graph_.input.type = Type::int8;
    codes(real(graph_.input.name, in, Type::int8), in, name);
  }

  void end_output() {
    const Tensor& out = tensor_of(program_.output);
    std::string name = is_vector(out) ? flat(program_.output) : last(program_.output);
    if (!bytes_) {
      name = codes(real(name, out), out, unused(name_of(program_.output) + "_int8"), Type::int8);
    } else if (name == graph_.input.name) {
      name = node("Identity", {name}, unused("output"));
    }
    const Dims dims =
        is_vector(out) ? Dims{out.channels} : Dims{out.height, out.width, out.channels};
    graph_.output = {name, bytes_ ? Type::uint8 : Type::int8, dims};
  }

  // ---- Weights.

  static bool negated(const integer::Channels& channels, std::int64_t c) {
    return !channels.negate.empty() && channels.negate[static_cast<std::size_t>(c)] != 0;
  }
  // The code of a negated channel: -(w - z) = (-1 - w) - (-1 - z), where -w may be no int8.
  static std::int8_t turned(const integer::Weights& w, std::int32_t code) {
    return static_cast<std::int8_t>(w.zero_points.empty() ? -code : -1 - code);
  }

  // `order[i]`: which of our codes stands at i, output channel by output channel.
  template <class Layer>
  static std::vector<std::int8_t> stored_codes(const Layer& op,
                                               const std::vector<std::int64_t>& order) {
    const std::size_t taps = order.size() / op.channels.bias.size();
    std::vector<std::int8_t> stored;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::int8_t code = op.weights.codes[static_cast<std::size_t>(order[i])];
      const bool negative = negated(op.channels, static_cast<std::int64_t>(i / taps));
      const int factor = 1 << op.channels.fraction_bits;  // 1 where there are zero points
      stored.push_back(
          static_cast<std::int8_t>((negative ? turned(op.weights, code) : code) * factor));
    }
    return stored;
  }

  // Scales and zero points: one of each, or one per output channel.
  struct Grids {
    std::vector<float> scales, bias_scales;
    std::vector<std::int8_t> zeros;
  };
  template <class Layer>
  Grids grids_of(const Layer& op) const {
    const integer::Weights& w = op.weights;
    const bool single = w.scale_bits.size() == 1 && w.zero_points.size() <= 1 &&
                        (w.zero_points.empty() || op.channels.negate.empty());
    Grids g;
    for (std::size_t c = 0; c < (single ? 1 : op.channels.bias.size()); ++c) {
      g.scales.push_back(scale_of(w.scale_bits[w.scale_bits.size() == 1 ? 0 : c]) /
                         static_cast<float>(1 << op.channels.fraction_bits));
      g.bias_scales.push_back(scale_of(tensor_of(op.input).scale_bits) * g.scales.back());
      if (!std::isnormal(g.bias_scales.back())) refuse_scale();
      const auto channel = static_cast<std::int64_t>(c);
      const std::int32_t zero = zero_point(w, channel);
      const bool turn = !w.zero_points.empty() && negated(op.channels, channel);
      g.zeros.push_back(turn ? turned(w, zero) : static_cast<std::int8_t>(zero));
    }
    return g;
  }

  // Integers and the real values that they stand for.
  template <class Code>
  std::string dequantized(const std::string& name, Type type, const Dims& dims,
                          const std::vector<Code>& values, const std::vector<float>& scales,
                          const std::vector<Code>& zeros) {
    const bool single = scales.size() == 1;
    const Dims grid_dims = single ? Dims{} : Dims{static_cast<std::int64_t>(scales.size())};
    std::map<std::string, Attribute> attributes;
    if (!single) attributes["axis"] = one(0);
    const std::string codes = constant(name, type, dims, raw(values));
    const std::string scale = constant(name + "_scale", Type::float32, grid_dims, raw(scales));
    const std::string zero = constant(name + "_zero", type, grid_dims, raw(zeros));
    return node("DequantizeLinear", {codes, scale, zero}, unused(name + "_real"), attributes);
  }

  // A layer's inputs: `from`, weights, bias.
  template <class Layer>
  std::vector<std::string> layer_inputs(const Layer& op, std::string from, const Dims& dims,
                                        const std::vector<std::int64_t>& order) {
    const std::string& name = name_of(op.output);
    const Grids g = grids_of(op);
    return {
        std::move(from),
        dequantized(name + "_weight", Type::int8, dims, stored_codes(op, order), g.scales, g.zeros),
        dequantized(name + "_bias", Type::int32, {std::ssize(op.channels.bias)}, op.channels.bias,
                    g.bias_scales, std::vector<std::int32_t>(g.bias_scales.size(), 0))};
  }

  // ---- Operations.

  static std::map<std::string, Attribute> attributes_of(const Window& w) {
    return {{"kernel_shape", list({w.kernel_h, w.kernel_w})},
            {"strides", list({w.stride_h, w.stride_w})},
            {"pads", list({w.pad_top, w.pad_left, w.pad_bottom, w.pad_right})}};
  }

  template <class Layer>
  void add_window(const Layer& op, std::int64_t groups, const Dims& dims,
                  const std::vector<std::int64_t>& order) {
    const std::vector<std::string> inputs =
        layer_inputs(op, real(image(op.input), tensor_of(op.input)), dims, order);
    auto attributes = attributes_of(op.window);
    attributes["group"] = one(groups);
    forms(op.output).image =
        finish(node("Conv", inputs, unused(name_of(op.output) + "_sum"), attributes), op.output);
  }

  void add(const integer::Conv2d& op) {
    const Window& w = op.window;
    const std::int64_t outputs = tensor_of(op.output).channels,
                       inputs = tensor_of(op.input).channels / op.groups,
                       taps = std::int64_t{w.kernel_h} * w.kernel_w;
    std::vector<std::int64_t> order;
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < inputs; ++i) {
        for (std::int64_t t = 0; t < taps; ++t) order.push_back((o * taps + t) * inputs + i);
      }
    }
    add_window(op, op.groups, {outputs, inputs, w.kernel_h, w.kernel_w}, order);
  }

  void add(const integer::DepthwiseConv2d& op) {
    const Window& w = op.window;
    const std::int64_t outputs = tensor_of(op.output).channels,
                       taps = std::int64_t{w.kernel_h} * w.kernel_w;
    std::vector<std::int64_t> order;
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t t = 0; t < taps; ++t) order.push_back(t * outputs + o);
    }
    add_window(op, tensor_of(op.input).channels, {outputs, 1, w.kernel_h, w.kernel_w}, order);
  }

  // An image that exists channels first is flattened as it is, and the columns of the weights are
  // put in its order.
  void add(const integer::Dense& op) {
    std::int32_t source = op.input;
    while (forms(source).source) source = *forms(source).source;
    const Forms& f = forms(source);
    const Tensor& in = tensor_of(source);
    const std::int64_t outputs = tensor_of(op.output).channels, size = in.size(),
                       pixels = std::int64_t{in.height} * in.width;
    const bool first = f.flat.empty() && f.last.empty();
    const std::string from =
        first ? node("Flatten", {f.image}, unused(name_of(source) + "_flat"), {{"axis", one(1)}})
              : flat(source);
    std::vector<std::int64_t> order;
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < size; ++i) {
        order.push_back(o * size + (first ? i % pixels * in.channels + i / pixels : i));
      }
    }
    const std::vector<std::string> inputs =
        layer_inputs(op, real(from, in), {outputs, size}, order);
    forms(op.output).flat = finish(
        node("Gemm", inputs, unused(name_of(op.output) + "_sum"), {{"transB", one(1)}}), op.output);
  }

  template <class Pool>
  void add_pool(const Pool& op, const char* kind) {
    const std::string value =
        node(kind, {real(image(op.input), tensor_of(op.input))},
             unused(name_of(op.output) + "_pooled"), attributes_of(op.window));
    forms(op.output).image = finish(value, op.output);
  }
  void add(const integer::MaxPool2d& op) { add_pool(op, "MaxPool"); }
  // Padding does not count (count_include_pad is 0 where it is absent), as in our average.
  void add(const integer::AveragePool2d& op) { add_pool(op, "AveragePool"); }

  void add(const integer::GlobalAverage& op) {
    forms(op.output).image =
        finish(node("GlobalAveragePool", {real(image(op.input), tensor_of(op.input))},
                    unused(name_of(op.output) + "_mean")),
               op.output);
  }

  void add(const integer::Add& op) {
    const std::string a = real(image(op.a), tensor_of(op.a)),
                      b = real(image(op.b), tensor_of(op.b));
    forms(op.output).image =
        finish(node("Add", {a, b}, unused(name_of(op.output) + "_sum")), op.output);
  }

  void add(const integer::Clamp& op) {
    const bool vector = is_vector(tensor_of(op.input));
    const std::string from = real(vector ? flat(op.input) : image(op.input), tensor_of(op.input));
    (vector ? forms(op.output).flat : forms(op.output).image) = finish(from, op.output);
  }

  void add(const integer::Reshape& op) { forms(op.output).source = op.input; }

  const Program& program_;
  const bool bytes_;
  const std::vector<std::string> names_;
  std::vector<Forms> forms_;
  std::set<std::string> used_;
  std::map<std::tuple<std::uint32_t, std::int32_t, Type>, GridNames> grids_;
  Refusal place_{nullptr, 0, ""};
  Graph graph_;
};

}  // namespace

std::vector<std::string> onnx_names(const Program& program) {
  std::vector<std::string> names;
  for (const Tensor& t : program.tensors) names.push_back(t.name);
  return names;
}

Graph onnx_graph(const Program& program, bool bytes) { return Writer(program, bytes).write(); }

}  // namespace pare
