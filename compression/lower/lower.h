// Lowering: network + final grids -> integer program. The only place that sees both.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/program.h"
#include "compression/lower/final.h"
#include "layers/network.h"

namespace pare {

// `pixel_values`: for data that are bytes, the 256 values that the data set's normalisation gives,
// per input channel; empty otherwise. The program is validated. Throws ConfigError that names the
// node where the network has no integer form, or where an accumulator could overflow (with the
// bound and what would fit).
integer::Program lower(const Network& network, const FinalNetwork& final, const std::string& name,
                       std::span<const std::array<float, 256>> pixel_values);

// The codes that the program takes for inputs that are not bytes: `values` as the network would see
// them, on the grid of its input.
std::vector<std::int8_t> input_codes(const FinalNetwork& final, std::span<const float> values);

}  // namespace pare
