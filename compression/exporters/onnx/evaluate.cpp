#include "compression/exporters/onnx/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "framework/base/error.h"

namespace pare::onnx {
namespace {

std::int64_t product(std::span<const std::int64_t> dims) {
  std::int64_t size = 1;
  for (const std::int64_t d : dims) size *= d;
  return size;
}

template <class T>
std::vector<double> doubles(std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

Value value_of(const Constant& c) {
  switch (c.type) {
    case Type::float32:
      return {c.dims, doubles<float>(c.data)};
    case Type::uint8:
      return {c.dims, doubles<std::uint8_t>(c.data)};
    case Type::int8:
      return {c.dims, doubles<std::int8_t>(c.data)};
    case Type::int32:
      return {c.dims, doubles<std::int32_t>(c.data)};
    case Type::int64:
      return {c.dims, doubles<std::int64_t>(c.data)};
  }
  return {};
}

// One node with its inputs; an input that is not there is null.
struct Call {
  const Node& node;
  std::vector<const Value*> in;

  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(node.kind + " '" + node.output + "': " + message);
  }
  const Value& input(std::size_t i) const {
    if (i >= in.size() || in[i] == nullptr) fail("has no input " + std::to_string(i));
    return *in[i];
  }
  std::int64_t integer(const char* name, std::int64_t absent) const {
    const auto at = node.attributes.find(name);
    return at == node.attributes.end() ? absent : at->second.values.at(0);
  }
  std::int64_t element(const char* name, std::size_t i) const {
    const auto at = node.attributes.find(name);
    if (at == node.attributes.end() || at->second.values.size() <= i)
      fail(std::string("no ") + name);
    return at->second.values[i];
  }
};

// scale and zero of element i: one for all, or one per index of `axis`.
struct Scales {
  Scales(const Call& call, const Dims& dims) : scale(call.input(1).data), zero(call.input(2).data) {
    if (scale.size() == 1) return;
    const auto axis = static_cast<std::size_t>(call.integer("axis", 1));
    if (axis >= dims.size() || std::cmp_not_equal(dims[axis], scale.size())) {
      call.fail("scales do not fit the axis");
    }
    inner = product(std::span(dims).subspan(axis + 1));
  }
  std::size_t at(std::size_t i) const {
    return scale.size() == 1 ? 0 : i / static_cast<std::size_t>(inner) % scale.size();
  }
  const std::vector<double>&scale, &zero;
  std::int64_t inner = 1;
};

Value dequantize(const Call& call) {
  Value y = call.input(0);
  const Scales s(call, y.dims);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    y.data[i] = (y.data[i] - s.zero[s.at(i)]) * s.scale[s.at(i)];
  }
  return y;
}

// std::nearbyint rounds half to even in the mode that no code of ours changes.
Value quantize(const Call& call, double lowest) {
  Value y = call.input(0);
  const Scales s(call, y.dims);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const double code = std::nearbyint(y.data[i] / s.scale[s.at(i)]) + s.zero[s.at(i)];
    y.data[i] = std::clamp(code, lowest, lowest + 255);
  }
  return y;
}

// The sides of what a window makes of an image [1, channels, height, width].
struct Sliding {
  Sliding(const Call& call, const Value& x)
      : height(x.dims.at(2)),
        width(x.dims.at(3)),
        kernel_h(call.element("kernel_shape", 0)),
        kernel_w(call.element("kernel_shape", 1)),
        stride_h(call.element("strides", 0)),
        stride_w(call.element("strides", 1)),
        top(call.element("pads", 0)),
        left(call.element("pads", 1)),
        out_h((height + top + call.element("pads", 2) - kernel_h) / stride_h + 1),
        out_w((width + left + call.element("pads", 3) - kernel_w) / stride_w + 1) {}

  // Calls tap(index in the image) for every tap of output pixel (y, x) inside the image.
  template <class Tap>
  void taps(std::int64_t y, std::int64_t x, const Tap& tap) const {
    for (std::int64_t v = 0; v < kernel_h; ++v) {
      const std::int64_t row = y * stride_h - top + v;
      for (std::int64_t h = 0; h < kernel_w && row >= 0 && row < height; ++h) {
        const std::int64_t column = x * stride_w - left + h;
        if (column >= 0 && column < width) tap(row * width + column);
      }
    }
  }

  std::int64_t height, width, kernel_h, kernel_w, stride_h, stride_w, top, left, out_h, out_w;
};

// to[y][x] += weight * from[y * stride - top + v][x * stride - left + h], inside the image.
void add_tap(const Sliding& s, std::int64_t v, std::int64_t h, double weight, const double* from,
             double* to) {
  const std::int64_t offset = h - s.left;
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + s.stride_w - 1) / s.stride_w;
  const std::int64_t end = std::min(s.out_w, (s.width - 1 - offset) / s.stride_w + 1);
  for (std::int64_t y = 0; y < s.out_h; ++y) {
    const std::int64_t row = y * s.stride_h - s.top + v;
    if (row < 0 || row >= s.height || s.width - 1 < offset) continue;
    const double* line = from + row * s.width + offset;
    double* out = to + y * s.out_w;
    for (std::int64_t x = begin; x < end; ++x) out[x] += weight * line[x * s.stride_w];
  }
}

Value conv(const Call& call) {
  const Value &x = call.input(0), &w = call.input(1), &bias = call.input(2);
  const Sliding s(call, x);
  const std::int64_t groups = call.integer("group", 1), outputs = w.dims.at(0),
                     inputs = w.dims.at(1), taps = s.kernel_h * s.kernel_w;
  if (inputs * groups != x.dims.at(1) || outputs % groups != 0) call.fail("channels do not fit");
  Value y{{1, outputs, s.out_h, s.out_w}, {}};
  y.data.resize(static_cast<std::size_t>(product(y.dims)));
  for (std::int64_t o = 0; o < outputs; ++o) {
    double* to = y.data.data() + o * s.out_h * s.out_w;
    std::fill(to, to + s.out_h * s.out_w, bias.data.at(static_cast<std::size_t>(o)));
    const std::int64_t first = o / (outputs / groups) * inputs;
    for (std::int64_t i = 0; i < inputs; ++i) {
      const double* from = x.data.data() + (first + i) * s.height * s.width;
      const double* weights = w.data.data() + (o * inputs + i) * taps;
      for (std::int64_t t = 0; t < taps; ++t) {
        if (weights[t] != 0) add_tap(s, t / s.kernel_w, t % s.kernel_w, weights[t], from, to);
      }
    }
  }
  return y;
}

Value gemm(const Call& call) {
  const Value &x = call.input(0), &w = call.input(1), &bias = call.input(2);
  const std::int64_t outputs = w.dims.at(0), inputs = w.dims.at(1);
  if (call.integer("transB", 0) != 1 || x.dims != Dims{1, inputs}) call.fail("shapes do not fit");
  Value y{{1, outputs}, bias.data};
  for (std::int64_t o = 0; o < outputs; ++o) {
    const double* row = w.data.data() + o * inputs;
    double sum = 0;
    for (std::int64_t i = 0; i < inputs; ++i) sum += row[i] * x.data[static_cast<std::size_t>(i)];
    y.data.at(static_cast<std::size_t>(o)) += sum;
  }
  return y;
}

Value pool(const Call& call, bool largest) {
  const Value& x = call.input(0);
  const Sliding s(call, x);
  Value y{{1, x.dims.at(1), s.out_h, s.out_w}, {}};
  for (std::int64_t c = 0; c < x.dims[1]; ++c) {
    const double* from = x.data.data() + c * s.height * s.width;
    for (std::int64_t i = 0; i < s.out_h * s.out_w; ++i) {
      double most = -std::numeric_limits<double>::infinity(), sum = 0;
      std::int64_t count = 0;
      s.taps(i / s.out_w, i % s.out_w, [&](std::int64_t at) {
        most = std::max(most, from[at]);
        sum += from[at];
        ++count;
      });
      y.data.push_back(largest ? most : sum / static_cast<double>(count));
    }
  }
  return y;
}

Value global_average(const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t pixels = x.dims.at(2) * x.dims.at(3);
  Value y{{1, x.dims[1], 1, 1}, {}};
  for (std::int64_t c = 0; c < x.dims[1]; ++c) {
    double sum = 0;
    for (std::int64_t i = 0; i < pixels; ++i) {
      sum += x.data[static_cast<std::size_t>(c * pixels + i)];
    }
    y.data.push_back(sum / static_cast<double>(pixels));
  }
  return y;
}

Value add(const Call& call) {
  Value y = call.input(0);
  const Value& b = call.input(1);
  if (b.dims != y.dims) call.fail("shapes differ");
  for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] += b.data[i];
  return y;
}

Value clip(const Call& call, double low, double high) {
  Value y = call.input(0);
  for (double& v : y.data) v = std::min(std::max(v, low), high);
  return y;
}

// Four dimensions.
Value transpose(const Call& call) {
  const Value& x = call.input(0);
  std::size_t order[4];
  Value y{{0, 0, 0, 0}, {}};
  std::int64_t stride[4] = {1, 1, 1, 1};
  if (x.dims.size() != 4) call.fail("has not four dimensions");
  for (std::size_t i = 3; i > 0; --i) stride[i - 1] = stride[i] * x.dims[i];
  for (std::size_t i = 0; i < 4; ++i) {
    order[i] = static_cast<std::size_t>(call.element("perm", i));
    y.dims[i] = x.dims.at(order[i]);
  }
  for (std::int64_t i = 0; i < std::ssize(x.data); ++i) {
    std::int64_t rest = i, from = 0;
    for (std::size_t d = 4; d-- > 0; rest /= y.dims[d]) from += rest % y.dims[d] * stride[order[d]];
    y.data.push_back(x.data[static_cast<std::size_t>(from)]);
  }
  return y;
}

Value reshape(const Call& call) {
  Value y = call.input(0);
  const Dims old = std::exchange(y.dims, {});
  for (const double d : call.input(1).data) {
    y.dims.push_back(d == 0 ? old.at(y.dims.size()) : static_cast<std::int64_t>(d));
  }
  if (product(y.dims) != product(old)) call.fail("sizes differ");
  return y;
}

Value flatten(const Call& call) {
  Value y = call.input(0);
  if (call.integer("axis", 1) != 1) call.fail("flattens the batch");
  y.dims = {y.dims.at(0), std::ssize(y.data) / y.dims[0]};
  return y;
}

}  // namespace

Evaluation::Evaluation(Graph graph, const std::string& what)
    : graph_(std::move(graph)), what_(what) {
  for (const Constant& c : graph_.constants) {
    constants_[c.name] = value_of(c);
    if (c.type == Type::uint8) unsigned_.insert(c.name);
  }
  for (const Node& node : graph_.nodes) {
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](const auto& name) {
      return name.empty() || constants_.contains(name);
    });
    if (known)
      constants_[node.output] = compute(node, constants_);
    else
      steps_.push_back(node);
  }
}

Value Evaluation::compute(const Node& node, const Values& values) const {
  Call call{node, {}};
  for (const std::string& name : node.inputs) {
    const auto at = values.find(name), fixed = constants_.find(name);
    if (at != values.end())
      call.in.push_back(&at->second);
    else if (fixed != constants_.end())
      call.in.push_back(&fixed->second);
    else if (name.empty())
      call.in.push_back(nullptr);
    else
      call.fail("reads '" + name + "', which nothing writes");
  }
  const std::string& kind = node.kind;
  if (kind == "DequantizeLinear") return dequantize(call);
  if (kind == "QuantizeLinear") {
    return quantize(call, unsigned_.contains(node.inputs.at(2)) ? 0 : -128);
  }
  if (kind == "Conv") return conv(call);
  if (kind == "Gemm") return gemm(call);
  if (kind == "MaxPool") return pool(call, true);
  if (kind == "AveragePool") return pool(call, false);
  if (kind == "GlobalAveragePool") return global_average(call);
  if (kind == "Add") return add(call);
  if (kind == "Relu") return clip(call, 0, std::numeric_limits<double>::infinity());
  if (kind == "Clip") return clip(call, call.input(1).data.at(0), call.input(2).data.at(0));
  if (kind == "Transpose") return transpose(call);
  if (kind == "Reshape") return reshape(call);
  if (kind == "Flatten") return flatten(call);
  if (kind == "Identity") return call.input(0);
  throw DataError(what_ + ": " + kind + " is no operator that we write");
}

std::vector<double> Evaluation::run(std::span<const double> codes, const Watch& watch) const {
  Values values;
  Value& input = values[graph_.input.name];
  input.dims = graph_.input.dims;
  input.dims.insert(input.dims.begin(), 1);
  input.data.assign(codes.begin(), codes.end());
  for (const Node& node : steps_) {
    Value value = compute(node, values);
    if (watch && node.kind == "QuantizeLinear") watch(node.output, value.data);
    values[node.output] = std::move(value);
  }
  return std::move(values.at(graph_.output.name).data);
}

}  // namespace pare::onnx
