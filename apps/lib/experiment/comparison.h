// The comparisons that an experiment's report asks for: pairs of cells, their differences seed by
// seed, and what can be said of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/experiment/collect.h"
#include "apps/lib/experiment/correlation.h"
#include "apps/lib/experiment/statistics.h"

namespace pare {

struct CellPair {
  std::size_t a, b;  // cells of the plan
};

// Cells with a's points and those with b's points that agree in every other axis, in the order of
// the plan. `path` names the contrast in errors. Throws ConfigError: something that is no axis, no
// point of it; axes that differ between a and b; no pair.
std::vector<CellPair> pairs_of(const Plan& plan, const Contrast& contrast, const std::string& path);

// The end of an axis's name that says what it is: "bits" of "compression.int8.weights.bits",
// "sparsity" of "compression.prune.sparsity.to".
std::string short_name(const std::string& axis);

// Everything in experiment.report can be computed. Throws ConfigError.
void check_comparisons(const Plan& plan);

// One pair of cells. The difference is that of the report's first figure, a - b.
struct CellComparison {
  CellPair cells;
  std::string label;                     // what the two have in common
  std::vector<double> differences = {};  // of each seed that both have finished
  Summary summary = {};
  std::optional<double> t = {}, t_holm = {};  // p values
  std::optional<double> ranks = {};
  std::optional<double> equal = {};
};

struct Comparison {
  std::string name;
  std::vector<CellComparison> cells = {};
  int positive = 0, negative = 0;    // signs of the cells' means
  std::optional<double> signs = {};  // p of the sign test over cells, where there are several
};
std::vector<Comparison> comparisons(const Plan& plan, const Collected& collected);

struct CorrelationResult {
  std::string name, x_name, y_name;
  std::vector<std::string> labels;
  std::vector<double> x, y;  // mean differences of each cell that has both
  std::optional<Correlated> correlated = {};
};
std::vector<CorrelationResult> correlations(const Plan& plan, const Collected& collected);

// The report's first figure of a cell over its finished seeds; another figure by its name.
Summary cell_summary(const Plan& plan, const Collected& collected, std::size_t cell,
                     const std::string& name);

}  // namespace pare
