// An integer program as an ONNX model in QDQ form.
//
// Every operation becomes floating point between DequantizeLinear and QuantizeLinear, which carry
// the grids; engines that know the form fuse the three to integer arithmetic. Weights and biases
// are integer constants behind DequantizeLinear. Input and output are codes, images in our order
// (height, width, channels), as in every form that we write; inside, images are channels first and
// codes are bytes, code + 128.
//
// ONNX rounds once, half to even, from floating point: given the same codes, an operation may
// give a code one larger or smaller than the engine's.
#pragma once

#include <string>
#include <vector>

#include "compression/exporters/onnx/graph.h"
#include "compression/integer/program.h"

namespace pare {

// `bytes`: input and output are uint8, codes + 128. Throws ConfigError with the layer, the reason
// and what works where the form has no such numbers.
onnx::Graph onnx_graph(const integer::Program& program, bool bytes);

// The value of the graph that holds the codes + 128 of each tensor: made by QuantizeLinear, but for
// the input, and for what a reshape writes, which has none.
std::vector<std::string> onnx_names(const integer::Program& program);

}  // namespace pare
