#include "compression/exporters/safetensors/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"
#include "framework/base/error.h"
#include "framework/base/names.h"
#include "framework/io/safetensors.h"

namespace pare {
namespace {

using integer::Multiplier;
using integer::Program;
using integer::Tensor;
using integer::Window;
using Json = nlohmann::ordered_json;

const Tensor& tensor(const Program& program, std::int32_t t) {
  return program.tensors[static_cast<std::size_t>(t)];
}

// The fields of a window, in the order in which they are written.
template <class AnyWindow>
auto fields_of(AnyWindow& w) {
  return std::array{&w.kernel_h, &w.kernel_w, &w.stride_h,   &w.stride_w,
                    &w.pad_top,  &w.pad_left, &w.pad_bottom, &w.pad_right};
}

template <class Layer>
std::vector<std::int64_t> weight_shape(const Layer& op, const Tensor& in, const Tensor& out) {
  if constexpr (std::is_same_v<Layer, integer::Conv2d>) {
    return {out.channels, op.window.kernel_h, op.window.kernel_w, in.channels / op.groups};
  } else if constexpr (std::is_same_v<Layer, integer::DepthwiseConv2d>) {
    return {1, op.window.kernel_h, op.window.kernel_w, out.channels};
  } else {
    return {out.channels, in.size()};
  }
}

class Writer {
 public:
  explicit Writer(const Program& program) : program_(program) {}

  SafeTensors write() {
    Json tensors = Json::array(), operations = Json::array();
    for (const Tensor& t : program_.tensors) {
      tensors.push_back({{"name", t.name},
                         {"shape", {t.height, t.width, t.channels}},
                         {"scale", std::bit_cast<float>(t.scale_bits)},
                         {"scale_bits", t.scale_bits},
                         {"zero_point", t.zero_point},
                         {"code_min", t.code_min},
                         {"code_max", t.code_max}});
    }
    for (const integer::Operation& operation : program_.operations) {
      Json json = {{"kind", kind_of(operation)}};
      for (const std::int32_t t : inputs_of(operation)) json["inputs"].push_back(t);
      json["output"] = output_of(operation);
      name_ = tensor(program_, output_of(operation)).name;
      std::visit([&](const auto& op) { add(op, json); }, operation);
      operations.push_back(std::move(json));
    }
    if (!program_.pixel_codes.empty()) {
      std::vector<std::int32_t> codes;
      for (const auto& table : program_.pixel_codes) {
        codes.insert(codes.end(), table.begin(), table.end());
      }
      array("pixel_codes", codes, {std::ssize(program_.pixel_codes), 256});
    }
    const bool twice = program_.rounding == integer::Rounding::twice;
    const Json graph = {{"name", program_.name},         {"rounding", twice ? "double" : "single"},
                        {"input", program_.input},       {"output", program_.output},
                        {"tensors", std::move(tensors)}, {"operations", std::move(operations)}};
    file_.metadata = {{"format", "pare integer program"}, {"program", graph.dump()}};
    return std::move(file_);
  }

 private:
  template <class T>
  void array(const std::string& name, const std::vector<T>& values,
             std::vector<std::int64_t> shape) {
    const auto bytes = std::as_bytes(std::span(values));
    file_.arrays.push_back({name,
                            sizeof(T) == 1 ? ElementType::uint8 : ElementType::int32,
                            std::move(shape),
                            {bytes.begin(), bytes.end()}});
  }
  template <class T>
  void list(const char* part, const std::vector<T>& values) {
    array(name_ + "." + part, values, {std::ssize(values)});
  }

  void add_multipliers(const std::vector<Multiplier>& multipliers) {
    std::vector<std::int32_t> values, shifts;
    for (const Multiplier m : multipliers) {
      values.push_back(m.value);
      shifts.push_back(m.shift);
    }
    list("multiplier", values);
    list("shift", shifts);
  }

  template <class Op>
  void add(const Op& op, Json& json) {
    if constexpr (requires { op.window; }) {
      for (const std::int32_t* field : fields_of(op.window)) json["window"].push_back(*field);
    }
    if constexpr (requires { op.groups; }) json["groups"] = op.groups;
    if constexpr (requires { op.weights; }) add_layer(op, json);
    if constexpr (std::is_same_v<Op, integer::GlobalAverage>) add_multipliers({op.multiplier});
    if constexpr (std::is_same_v<Op, integer::Add>) {
      add_multipliers({op.scale_a, op.scale_b, op.scale_output});
    }
  }

  template <class Layer>
  void add_layer(const Layer& op, Json& json) {
    const Tensor &in = tensor(program_, op.input), &out = tensor(program_, op.output);
    json["bits"] = op.weights.bits;
    json["affine"] = op.weights.affine;
    json["fraction_bits"] = op.channels.fraction_bits;
    array(name_ + ".weight",
          std::vector<std::int32_t>(op.weights.codes.begin(), op.weights.codes.end()),
          weight_shape(op, in, out));
    std::vector<std::int32_t> scales;
    for (const std::uint32_t bits : op.weights.scale_bits) {
      scales.push_back(std::bit_cast<std::int32_t>(bits));
    }
    list("weight_scale", scales);
    file_.arrays.back().type = ElementType::float32;
    if (op.weights.affine) list("weight_zero_point", op.weights.zero_points);
    list("bias", op.channels.bias);
    add_multipliers(op.channels.multipliers);
    if (!op.channels.negate.empty()) list("negate", op.channels.negate);
  }

  const Program& program_;
  SafeTensors file_;
  std::string name_;
};

class Reader {
 public:
  explicit Reader(const SafeTensors& file) {
    for (const NamedArray& array : file.arrays) arrays_[array.name] = &array;
    for (const auto& [key, text] : file.metadata) {
      if (key == "program") graph_ = Json::parse(text);
    }
  }

  Program read() {
    program_.name = graph_.at("name");
    program_.rounding =
        graph_.at("rounding") == "double" ? integer::Rounding::twice : integer::Rounding::once;
    program_.input = graph_.at("input");
    program_.output = graph_.at("output");
    for (const Json& t : graph_.at("tensors")) {
      program_.tensors.push_back({t.at("name"), t.at("shape").at(0), t.at("shape").at(1),
                                  t.at("shape").at(2), t.at("zero_point"), t.at("code_min"),
                                  t.at("code_max"), t.at("scale_bits")});
      const Tensor& last = program_.tensors.back();
      if (t.at("scale").get<float>() != std::bit_cast<float>(last.scale_bits))
        throw DataError("'" + printable(last.name) + "': scale and scale_bits differ");
    }
    for (const Json& json : graph_.at("operations")) read_operation(json);
    if (arrays_.contains("pixel_codes")) {
      const std::vector<std::int8_t> codes = narrowed("pixel_codes");
      for (std::size_t at = 0; at + 256 <= codes.size(); at += 256) {
        std::copy_n(codes.begin() + static_cast<std::ptrdiff_t>(at), 256,
                    program_.pixel_codes.emplace_back().begin());
      }
    }
    integer::validate(program_);
    require_weight_shapes();
    return std::move(program_);
  }

 private:
  template <class T>
  std::vector<T> values(const std::string& name) const {
    const std::vector<std::byte>& bytes = arrays_.at(name)->bytes;
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }
  std::vector<std::int8_t> narrowed(const std::string& name) const {
    std::vector<std::int8_t> codes;
    for (const std::int32_t code : values<std::int32_t>(name)) {
      if (code < -128 || code > 127) {
        throw DataError("array '" + printable(name) + "' holds " + std::to_string(code) +
                        "; expected -128 to 127");
      }
      codes.push_back(static_cast<std::int8_t>(code));
    }
    return codes;
  }
  // Others read the arrays by their shapes; here the graph says them too.
  void require_weight_shapes() const {
    for (const integer::Operation& operation : program_.operations) {
      std::visit(
          [&](const auto& op) {
            if constexpr (requires { op.weights; }) {
              const Tensor& out = tensor(program_, op.output);
              const std::string name = out.name + ".weight";
              if (arrays_.at(name)->shape != weight_shape(op, tensor(program_, op.input), out))
                throw DataError("array '" + printable(name) + "' has another shape than its layer");
            }
          },
          operation);
    }
  }
  template <class T>
  std::vector<T> part(const char* part) const {
    return values<T>(name_ + "." + part);
  }
  bool has(const char* part) const { return arrays_.contains(name_ + "." + part); }

  std::vector<Multiplier> multipliers() const {
    const auto values = part<std::int32_t>("multiplier"), shifts = part<std::int32_t>("shift");
    std::vector<Multiplier> result;
    for (std::size_t i = 0; i < values.size(); ++i) result.push_back({values[i], shifts.at(i)});
    return result;
  }

  void read_operation(const Json& json) {
    const std::string kind = json.at("kind");
    name_ = program_.tensors.at(json.at("output")).name;
    for (integer::Operation& empty : every_kind()) {
      if (kind != kind_of(empty)) continue;
      std::visit([&](auto& op) { read(op, json); }, empty);
      program_.operations.push_back(std::move(empty));
      return;
    }
    throw DataError("operation kind '" + printable(kind) + "' is unknown");
  }

  static std::vector<integer::Operation> every_kind() {
    return {integer::Conv2d{},    integer::DepthwiseConv2d{}, integer::Dense{},
            integer::MaxPool2d{}, integer::AveragePool2d{},   integer::GlobalAverage{},
            integer::Add{},       integer::Clamp{},           integer::Reshape{}};
  }

  template <class Op>
  void read(Op& op, const Json& json) {
    op.output = json.at("output");
    if constexpr (std::is_same_v<Op, integer::Add>) {
      op.a = json.at("inputs").at(0);
      op.b = json.at("inputs").at(1);
      const auto m = multipliers();
      op.scale_a = m.at(0), op.scale_b = m.at(1), op.scale_output = m.at(2);
    } else {
      op.input = json.at("inputs").at(0);
    }
    if constexpr (requires { op.window; }) {
      std::size_t i = 0;
      for (std::int32_t* field : fields_of(op.window)) *field = json.at("window").at(i++);
    }
    if constexpr (requires { op.groups; }) op.groups = json.at("groups");
    if constexpr (std::is_same_v<Op, integer::GlobalAverage>) op.multiplier = multipliers().at(0);
    if constexpr (requires { op.weights; }) {
      op.weights.bits = json.at("bits");
      op.weights.affine = json.at("affine");
      op.channels.fraction_bits = json.value("fraction_bits", 0);  // older files have none
      op.weights.codes = narrowed(name_ + ".weight");
      op.weights.scale_bits = part<std::uint32_t>("weight_scale");
      if (has("weight_zero_point"))
        op.weights.zero_points = part<std::int32_t>("weight_zero_point");
      op.channels.bias = part<std::int32_t>("bias");
      op.channels.multipliers = multipliers();
      if (has("negate")) op.channels.negate = part<std::uint8_t>("negate");
    }
  }

  std::map<std::string, const NamedArray*> arrays_;
  Json graph_;
  Program program_;
  std::string name_;
};

}  // namespace

std::vector<std::byte> encode_program_safetensors(const Program& program) {
  return encode_safetensors(Writer(program).write());
}

Program decode_program_safetensors(std::span<const std::byte> file, const std::string& what) {
  const SafeTensors decoded = decode_safetensors(file, what);
  try {
    return Reader(decoded).read();
  } catch (const Json::exception& error) {
    throw DataError(what + ": no program of ours: " + error.what());
  } catch (const std::out_of_range&) {
    throw DataError(what + ": an array or a tensor of the program is missing");
  }
}

}  // namespace pare
