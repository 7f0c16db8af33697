// An ONNX graph as plain data, and its bytes: what the writer makes and the evaluation runs.
//
// The part of ONNX that quantized networks need: one input, one output, attributes that are
// integers, constants as raw data. Names are names of values; every node has one output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace pare::onnx {

// Numbers of ONNX's TensorProto.DataType.
enum class Type : std::int32_t { float32 = 1, uint8 = 2, int8 = 3, int32 = 6, int64 = 7 };
std::size_t bytes_of(Type type);

using Dims = std::vector<std::int64_t>;

struct Constant {
  std::string name;
  Type type = Type::float32;
  Dims dims;
  std::vector<std::byte> data;  // little-endian, row-major
};

// One integer, or a list of them: ONNX tells them apart.
struct Attribute {
  bool list = false;
  std::vector<std::int64_t> values;
};

struct Node {
  std::string kind;                 // op_type
  std::vector<std::string> inputs;  // "": an optional one that is not there
  std::string output;
  std::map<std::string, Attribute> attributes;
};

struct Port {
  std::string name;
  Type type = Type::int8;
  Dims dims;  // of one image; the batch stands before them, under the name N
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<Constant> constants;
  Port input, output;
};

std::vector<std::byte> encode(const Graph& graph);

// Throws DataError that begins with `what`.
Graph decode(std::span<const std::byte> file, const std::string& what);

}  // namespace pare::onnx
