// What a layer's numbers look like: zeros, ranges, histograms, and how much rounding them cost. For
// result.json, report.html and TensorBoard; nothing here changes the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/report/heat_map.h"
#include "apps/lib/report/histogram.h"
#include "datasets/dataset.h"
#include "datasets/normalize.h"
#include "layers/network.h"

namespace pare {

// What was rounded, and what became of it. SQNR: 10 log10(sum x^2 / sum (x - q(x))^2) in dB; none
// where nothing was rounded, or nothing was lost.
struct RoundedValues {
  report::Histogram histogram;  // before rounding
  std::optional<double> sqnr = {};
  std::optional<report::Limits> grid = {};  // ends of the grid, where there is one for all values
};

// A node with weights.
struct LayerStatistics {
  std::string name, kind;
  Shape shape;                // of the weight
  std::int64_t masked = 0;    // weights under the mask
  std::int64_t zeros = 0;     // weights that are zero when the network computes, masked ones too
  report::Limits range{};     // of the weights that the network computes with
  RoundedValues weights;      // masked ones are zeros
  RoundedValues activations;  // on the edge that leaves the layer's group
};

// In the order of the network. Activations are those of the first images: 256, or as many as fit.
std::vector<LayerStatistics> layer_statistics(Network& network, const Images& images,
                                              const std::vector<PixelValues>& values);

// The weight before rounding, masked ones 0.
std::vector<float> masked_values(const Parameter& weight);

// Every weight as the network computes with it, one row per output channel.
std::vector<report::WeightMatrix> weight_matrices(Network& network);

}  // namespace pare
