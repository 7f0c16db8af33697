// The 2-2-1 network of document 000, section 4.3, as Pare computes it: masks, symmetric grids
// whose zero is a code, and the integer program that comes out of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compression/attach.h"
#include "layers/network.h"

namespace pare::example {

// dense 2 -> 2, relu, dense 2 -> 1 with the document's weights and biases. Its weights are written
// [in, out], ours are [out, in].
Network make_network();

// The 8-bit codes of the first layer's weights, in the document's order (W1), once half of them
// are pruned by magnitude. The composition says whether the grid sees the masked tensor or the
// dense one.
std::vector<std::int32_t> first_layer_codes(Composition composition);

// What the network says to one input, in float and in integers.
struct Answer {
  double real = 0;        // of the float network
  std::int32_t code = 0;  // of the engine
  std::int32_t zero_point = 0;
  double scale = 0;            // the code stands for (code - zero_point) * scale
  std::int64_t differing = 0;  // codes of any tensor that differ between engine and network
  double integer() const { return (code - zero_point) * scale; }
};
Answer answer(const std::array<float, 2>& input);

}  // namespace pare::example
