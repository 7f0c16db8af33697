// Post-training quantization: what a network without grids gets for its integer column.
#pragma once

#include <functional>

#include "layers/network.h"

namespace pare {

// True where every edge and every weight that the integer program needs has a quantizer.
bool has_all_grids(const Network& network);

// Adds what is missing: 8-bit symmetric weights per channel, 8-bit affine activations; nothing else
// changes. `calibrate` is called once with Pass::Mode::calibrate's pass to run images through the
// network.
void quantize_after_training(Network& network, const std::function<void(const Pass&)>& calibrate);

}  // namespace pare
