// The layers of the five networks: which kernel of ours was chosen for each, and how long it takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pare::bench {

// A step of the engine, which is a layer and perhaps the pooling behind it.
struct Layer {
  std::string name;
  std::string kernel;  // "conv2d + max_pool2d, avx2 in tiles of 8 channels"
  double us = 0;       // for one image, the least of many runs; 0 where nothing was measured
  double gmacs = 0;    // products per ns; 0 where there are none
};

struct NetLayers {
  std::string net;
  std::int64_t images = 0;  // at a time; 0 where nothing was measured
  std::vector<Layer> layers;
};

// `kernels`: an instruction set; empty: the best. Throws ConfigError for a net or a set that is
// not there.
NetLayers chosen_kernels(const std::string& net, const std::string& kernels);
// The same with times, for `batch` images at once, or as many as the engine takes.
NetLayers layer_times(const std::string& net, const std::string& kernels, std::int64_t batch);

// A line a layer: "  12.3 us  210 GMAC/s  conv1: conv2d + max_pool2d, avx512_vnni ...".
std::string text(const NetLayers& net);

}  // namespace pare::bench
