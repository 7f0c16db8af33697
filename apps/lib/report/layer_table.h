// The layers with weights as one table: result.json's numbers beside small histograms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/report/histogram.h"
#include "framework/config/value.h"

namespace pare::report {

// The values that enter a layer's quantizers, and where the grids end. Nothing where there is no
// such histogram or grid.
struct LayerHistograms {
  std::string name;
  std::optional<Histogram> weights = {}, activations = {};
  std::optional<Limits> weight_grid = {}, activation_grid = {};
};

// `layers`: result.json's. Histograms are found by name.
std::string layer_table(const config::Json& layers, const std::vector<LayerHistograms>& histograms);

}  // namespace pare::report
