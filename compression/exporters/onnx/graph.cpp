// Field numbers are those of ONNX's public onnx.proto (version 8 of the format), facts of the wire.
#include "compression/exporters/onnx/graph.h"

#include "compression/exporters/onnx/protobuf.h"
#include "framework/base/error.h"

namespace pare::onnx {
namespace {

constexpr std::int64_t kFormat = 8;      // ir_version
constexpr std::int64_t kOperators = 13;  // opset: the first with a scale per channel

namespace model {
enum { format = 1, producer = 2, graph = 7, opset = 8 };
}
namespace opset {
enum { version = 2 };
}
namespace graph {
enum { node = 1, name = 2, constant = 5, input = 11, output = 12 };
}
namespace node {
enum { input = 1, output = 2, name = 3, kind = 4, attribute = 5 };
}
namespace attribute {
enum { name = 1, integer = 3, integers = 8, type = 20 };
enum { is_integer = 2, is_integers = 7 };
}  // namespace attribute
namespace tensor {
enum { dims = 1, type = 2, name = 8, data = 9 };
}
namespace port {
enum { name = 1, type = 2 };
}
namespace port_type {
enum { tensor = 1 };
}
namespace tensor_type {
enum { element = 1, shape = 2 };
}
namespace shape {
enum { dim = 1 };
}
namespace dim {
enum { value = 1, name = 2 };
}

ProtoMessage message_of(const Constant& c) {
  ProtoMessage m;
  for (const std::int64_t d : c.dims) m.number(tensor::dims, d);
  return std::move(m.number(tensor::type, static_cast<std::int64_t>(c.type))
                       .text(tensor::name, c.name)
                       .bytes(tensor::data, c.data));
}

ProtoMessage message_of(const std::string& name, const Attribute& a) {
  ProtoMessage m;
  m.text(attribute::name, name);
  for (const std::int64_t v : a.values)
    m.number(a.list ? attribute::integers : attribute::integer, v);
  return std::move(
      m.number(attribute::type, a.list ? attribute::is_integers : attribute::is_integer));
}

ProtoMessage message_of(const Node& n) {
  ProtoMessage m;
  for (const std::string& input : n.inputs) m.text(node::input, input);
  m.text(node::output, n.output).text(node::name, n.output + "/" + n.kind).text(node::kind, n.kind);
  for (const auto& [name, a] : n.attributes) m.message(node::attribute, message_of(name, a));
  return m;
}

ProtoMessage message_of(const Port& p) {
  ProtoMessage dims, element, type, m;
  dims.message(shape::dim, ProtoMessage().text(dim::name, "N"));
  for (const std::int64_t d : p.dims)
    dims.message(shape::dim, ProtoMessage().number(dim::value, d));
  element.number(tensor_type::element, static_cast<std::int64_t>(p.type))
      .message(tensor_type::shape, dims);
  type.message(port_type::tensor, element);
  return std::move(m.text(port::name, p.name).message(port::type, type));
}

class Decoder {
 public:
  explicit Decoder(const std::string& what) : what_(what) {}

  Graph read(std::span<const std::byte> file) const {
    const ProtoView whole(file, what_), g = whole.message(model::graph);
    Graph result;
    result.name = g.text(graph::name);
    for (const ProtoView& n : g.messages(graph::node)) result.nodes.push_back(read_node(n));
    for (const ProtoView& c : g.messages(graph::constant)) {
      result.constants.push_back(read_constant(c));
    }
    result.input = read_port(g, graph::input);
    result.output = read_port(g, graph::output);
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(what_ + ": " + message);
  }
  Type read_type(std::int64_t number) const {
    const auto type = static_cast<Type>(number);
    if (bytes_of(type) == 0) fail("type " + std::to_string(number) + " is none that we write");
    return type;
  }

  Node read_node(const ProtoView& n) const {
    Node result{n.text(node::kind), n.texts(node::input), n.text(node::output), {}};
    for (const ProtoView& a : n.messages(node::attribute)) {
      const bool list = a.number(attribute::type) == attribute::is_integers;
      result.attributes[a.text(attribute::name)] = {
          list, list ? a.numbers(attribute::integers)
                     : std::vector<std::int64_t>{a.number(attribute::integer)}};
    }
    return result;
  }

  Constant read_constant(const ProtoView& c) const {
    const auto data = c.bytes(tensor::data);
    Constant result{c.text(tensor::name),
                    read_type(c.number(tensor::type)),
                    c.numbers(tensor::dims),
                    {data.begin(), data.end()}};
    std::size_t size = bytes_of(result.type);
    for (const std::int64_t d : result.dims) {
      if (d < 0 || d > std::int64_t{1} << 31) fail("a constant has a bad shape");
      size *= static_cast<std::size_t>(d);
      if (size > data.size()) break;
    }
    if (size != data.size()) fail("constant '" + result.name + "' has not the bytes of its shape");
    return result;
  }

  Port read_port(const ProtoView& g, int field) const {
    const std::vector<ProtoView> ports = g.messages(field);
    if (ports.size() != 1) fail("a graph has more or less than one input and one output");
    const ProtoView type = ports[0].message(port::type).message(port_type::tensor);
    Port result{ports[0].text(port::name), read_type(type.number(tensor_type::element)), {}};
    const auto dims = type.message(tensor_type::shape).messages(shape::dim);
    for (std::size_t i = 1; i < dims.size(); ++i) {
      result.dims.push_back(dims[i].number(dim::value));
    }
    return result;
  }

  const std::string& what_;
};

}  // namespace

std::size_t bytes_of(Type type) {
  switch (type) {
    case Type::uint8:
    case Type::int8:
      return 1;
    case Type::float32:
    case Type::int32:
      return 4;
    case Type::int64:
      return 8;
  }
  return 0;
}

std::vector<std::byte> encode(const Graph& g) {
  ProtoMessage body;
  for (const Node& n : g.nodes) body.message(graph::node, message_of(n));
  body.text(graph::name, g.name);
  for (const Constant& c : g.constants) body.message(graph::constant, message_of(c));
  body.message(graph::input, message_of(g.input)).message(graph::output, message_of(g.output));
  return ProtoMessage()
      .number(model::format, kFormat)
      .text(model::producer, "pare")
      .message(model::graph, body)
      .message(model::opset, ProtoMessage().number(opset::version, kOperators))
      .encoded();
}

Graph decode(std::span<const std::byte> file, const std::string& what) {
  return Decoder(what).read(file);
}

}  // namespace pare::onnx
