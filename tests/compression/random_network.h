// Random networks for differential tests: every node kind, stride and padding, residual adds, batch
// norms with negative, tiny and zero scales, dead channels, masks, and random quantizers.
#pragma once

#include <map>
#include <string>

#include "compression/lower/final.h"
#include "framework/random.h"
#include "layers/network.h"

namespace pare {

// How often each thing was drawn, so that a test can require that nothing was left out.
using Drawn = std::map<std::string, int>;

struct RandomNetwork {
  Network network;
  integer::Rounding rounding;
  std::vector<std::int8_t> input;  // codes of `images` images
  Tensor images;                   // the real values behind these codes
};

// Quantizers attached, calibrated; parameters and statistics random. A function of the seed.
RandomNetwork random_network(std::uint64_t seed, Drawn& drawn);

// All that the generator can draw.
std::vector<std::string> everything_drawable();

}  // namespace pare
