// The sensitivity scan: every layer alone is pruned and quantized in every way that the search
// allows, and the loss on validation images is measured, or estimated from the loss's curvature.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/lib/auto/allocate.h"
#include "compression/auto_method.h"
#include "datasets/batches.h"
#include "datasets/dataset.h"
#include "layers/network.h"

namespace pare {

struct LayerOptions {
  std::string node;
  std::int64_t weights = 0;
  std::vector<Option> options;  // sparsity varies fastest
};

// Of every layer with weights, in the network's order. The network ends as it was. Images: the
// first ones, at most 1000. `seed`: of the directions in which curvature is measured.
std::vector<LayerOptions> scan(Network& network, const SearchConfig& search,
                               const Images& validation, const std::vector<PixelValues>& values,
                               std::uint64_t seed);

// What the codes of `weights` weights can take at most in model.pare, whatever their values: the
// smallest of packed bits, a bitmap before the codes that are not zero, and an arithmetic coder
// that learns how many are zero (with 2 % and 32 bytes for the learning).
double most_bytes(std::int64_t weights, int bits, double sparsity);

}  // namespace pare
