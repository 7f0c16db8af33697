// From scores to masks: which groups are the least important, per layer or over all layers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compression/prune/target.h"

namespace pare {

struct Selection {
  PruneScope scope = PruneScope::layer;
  double sparsity = 0;      // fraction of groups pruned afterwards: ceil(sparsity * n) of them
  double min_sparsity = 0;  // per layer, with scope global
  double max_sparsity = 1;
  // Between equal scores the smaller of these goes first; empty, or where they are equal too: the
  // smaller index.
  std::span<const std::vector<float>> ties = {};
};

// ceil(sparsity * size), as a decimal fraction is meant.
std::int64_t quota(double sparsity, std::int64_t size);

// Prunes the least important groups. A pruned one stays pruned. A target with windows is pruned to
// its pattern whatever the sparsity. scores[t], and ties[t] where there are any, belong to
// targets[t].
void select(std::span<PruneTarget> targets, std::span<const std::vector<float>> scores,
            const Selection& selection);

// Prunes what scores below limits[t].
void select_below(std::span<PruneTarget> targets, std::span<const std::vector<float>> scores,
                  std::span<const double> limits);

}  // namespace pare
