// Contrasts: which cells of a grid are compared with which.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/experiment/plan.h"

namespace pare {

struct CellPair {
  std::size_t a, b;  // cells of the plan
};

// Cells with a's points and those with b's points that agree in every other axis, in the order of
// the plan. `path` names the contrast in errors. Throws ConfigError: something that is no axis, no
// point of it; axes that differ between a and b, or points that do not; no pair.
std::vector<CellPair> pairs_of(const Plan& plan, const Contrast& contrast, const std::string& path);

// Everything in experiment.report can be computed. Throws ConfigError.
void check_comparisons(const Plan& plan);

// The points of the axes that a contrast leaves open: the same for both cells of a pair, and it
// tells pairs apart.
using Rest = std::vector<std::size_t>;
Rest rest_of(const Plan& plan, const Contrast& contrast, const CellPair& pair);

// "bits 4, sparsity 0.9", or "all" where no axis is left.
std::string label_of(const Plan& plan, const Rest& rest);

// Its own, or one made of its points.
std::string name_of(const Contrast& contrast);

// The end of an axis's name that says what it is: "bits" of "compression.int8.weights.bits",
// "sparsity" of "compression.prune.sparsity.to".
std::string short_name(const std::string& axis);

}  // namespace pare
