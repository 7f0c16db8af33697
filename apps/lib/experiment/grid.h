// The grid of an experiment: every combination of the axes' points that is not excluded, with its
// seeds. Cells hold configs as they are written; whether they make sense is for plan.h to find out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/lib/experiment/experiment_config.h"

namespace pare {

struct Cell {
  std::vector<std::size_t> at;  // of each axis: the index of its point
  config::Value config;         // the base with everything that this cell changes
  std::vector<std::uint64_t> seeds;
  std::optional<double> published = {};  // the number of others that stands beside ours
};

// The base config is changed by `set`, then by the command line's --set, then by each axis in turn;
// the last axis varies fastest. Throws ConfigError: too many cells, a condition that names neither
// an axis nor a key, one that holds nowhere.
std::vector<Cell> make_grid(const ExperimentConfig& experiment,
                            std::span<const std::string> sets = {});

// "bits=4 strategy.kind=joint", or "the base config" where there are no axes.
std::string label(const ExperimentConfig& experiment, const Cell& cell);

}  // namespace pare
