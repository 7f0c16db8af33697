// The comparisons that an experiment's report asks for: the differences of pairs of cells, seed by
// seed, and what can be said of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/experiment/collect.h"
#include "apps/lib/experiment/contrast.h"
#include "apps/lib/experiment/correlation.h"
#include "apps/lib/experiment/statistics.h"

namespace pare {

// One pair of cells. The difference is that of the report's first figure, a - b.
struct CellComparison {
  CellPair cells;
  std::string label;                      // what the two have in common
  std::size_t planned = 0;                // seeds that the plan has for both
  std::vector<std::uint64_t> seeds = {};  // those that both have finished
  std::vector<double> differences = {};   // of each of them
  Summary summary = {};
  std::optional<double> t = {}, t_holm = {};  // p values
  std::optional<double> ranks = {}, ranks_holm = {};
  std::optional<double> equal = {}, equal_holm = {};
  bool same_runs = false;                   // a and b are the same: there is nothing to test
  std::optional<std::size_t> repeats = {};  // the first cell that compares the same runs
};

// Cells that compare the same runs (an axis that those do not feel) are one distinct comparison; a
// cell that compares runs with themselves is none.
struct Comparison {
  std::string name;
  std::vector<CellComparison> cells = {};
  std::size_t tests = 0, equal_tests = 0;  // distinct ones that have a p: what Holm corrects for
  std::size_t distinct = 0;                // distinct ones that have a difference
  int positive = 0, negative = 0;          // signs of their means
  Summary overall = {};  // of their mean, seed by seed; seeds that all of them have
  std::optional<double> overall_t = {};
};
std::vector<Comparison> comparisons(const Plan& plan, const Collected& collected);

// A cell whose two differences are those of an earlier one (the same runs) is no point of its own.
struct CorrelationResult {
  std::string name, x_name, y_name;
  std::vector<std::string> labels;
  std::vector<double> x, y;  // mean differences of each cell that has both
  std::optional<Correlated> correlated = {};
  std::size_t seeds = 0;                 // that all points have
  std::optional<Interval> by_seed = {};  // of r, where points have no other seeds
};
std::vector<CorrelationResult> correlations(const Plan& plan, const Collected& collected);

// The report's first figure of a cell over its finished seeds; another figure by its name.
Summary cell_summary(const Plan& plan, const Collected& collected, std::size_t cell,
                     const std::string& name);

}  // namespace pare
