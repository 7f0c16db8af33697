// Pruner: scores say which weights matter least; select() turns scores into masks.
//
// A new pruner is one file and one row of pruner_table(); generic tests run over every row.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "framework/parameter.h"

namespace pare {

// One tensor that is pruned.
struct PruneTarget {
  Parameter* parameter;
  class Mask* mask;
};

struct PrunerRow {
  std::string name;
  std::string description;
  // The importance of each element of the target, larger matters more, at least 0. `weights` is the
  // tensor that is ranked (ranked.h); `update` counts the mask updates of the run, for random
  // draws.
  void (*score)(const PruneTarget& target, const Tensor& weights, std::uint64_t seed,
                std::uint64_t update, std::span<float> scores);
};
std::span<const PrunerRow> pruner_table();
const PrunerRow& pruner(const std::string& name);

enum class PruneScope { layer, global };

struct Selection {
  PruneScope scope = PruneScope::layer;
  double sparsity =
      0;  // fraction of the weights that are zero afterwards: ceil(sparsity * n) of them
  double min_sparsity = 0;  // per layer, with scope global
  double max_sparsity = 1;
  // Between equal scores the smaller of these goes first; empty, or where they are equal too: the
  // smaller index.
  std::span<const std::vector<float>> ties = {};
};

// Prunes the least important weights. A pruned weight stays pruned. Returns how many masks changed.
// scores[t], and ties[t] where there are any, belong to targets[t].
std::int64_t select(std::span<const PruneTarget> targets,
                    std::span<const std::vector<float>> scores, const Selection& selection);

// Prunes what scores below limits[t]. Returns how many masks changed.
std::int64_t select_below(std::span<const PruneTarget> targets,
                          std::span<const std::vector<float>> scores,
                          std::span<const double> limits);

}  // namespace pare
