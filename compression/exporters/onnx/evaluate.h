// What an ONNX graph means: every node by its definition (onnx.ai, opset 13), in double.
//
// QuantizeLinear: saturate(round_half_even(x / scale) + zero); DequantizeLinear: (x - zero) *
// scale; what lies between them is floating point. Written from the operators' definitions for any
// graph of these kinds; it shares nothing with the writer but the graph. One image at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compression/exporters/onnx/graph.h"

namespace pare::onnx {

// A tensor; integers, too, are exact in double.
struct Value {
  Dims dims;
  std::vector<double> data;
};

class Evaluation {
 public:
  // Throws DataError that begins with `what` where a node is of another kind.
  Evaluation(Graph graph, const std::string& what);

  // Called with the name and the codes of every QuantizeLinear's output, which it may change.
  using Watch = std::function<void(const std::string& name, std::vector<double>& codes)>;

  // Codes in, codes out, as the graph's ports have them. May run on several threads at once.
  std::vector<double> run(std::span<const double> codes, const Watch& watch = {}) const;

 private:
  using Values = std::map<std::string, Value>;
  Value compute(const Node& node, const Values& values) const;

  Graph graph_;
  std::string what_;
  Values constants_;                // and what follows from them alone
  std::set<std::string> unsigned_;  // constants of type uint8
  std::vector<Node> steps_;
};

}  // namespace pare::onnx
