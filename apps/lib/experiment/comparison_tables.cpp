#include "apps/lib/experiment/comparison_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/experiment/figures.h"

namespace pare {
namespace {

std::string p_text(const std::optional<double>& p) {
  if (!p) return "-";
  return *p < 0.0001 ? "< 0.0001" : fmt::format("{:.4f}", *p);
}

// In a sentence: "p = 0.0123", "p < 0.0001".
std::string p_sentence(const std::optional<double>& p) {
  if (!p) return "no spread and so no p";
  const std::string text = p_text(p);
  return text[0] == '<' ? "p " + text : "p = " + text;
}

std::string equal_text(const CellComparison& c) {
  if (c.same_runs) return "same runs";
  const bool all_zero = std::all_of(c.differences.begin(), c.differences.end(),
                                    [](double difference) { return difference == 0; });
  return c.summary.n > 1 && all_zero ? "same" : p_text(c.equal);
}

std::string how_to_read(const Plan& plan, const Comparison& comparison) {
  const std::string& figure = plan.experiment.report.figures[0];
  return fmt::format(
      "Difference of {} seed by seed. p: paired t; Holm: p after Holm's correction over the {} of "
      "this table; ranks: exact Wilcoxon test, from 8 pairs on, and after Holm's correction over "
      "those; equal: TOST with a margin of {} "
      "(small: the same for all purposes), \"same\" where all differences are 0, \"same runs\" "
      "where both cells are the same runs; equal, Holm: TOST after Holm's correction over "
      "{}. Differences that are all the same have no spread and so no test.",
      figure_title(figure), distinct_comparisons(comparison.tests),
      figure_text(figure, plan.experiment.report.margin),
      distinct_comparisons(comparison.equal_tests));
}

// Nothing for one cell; the average needs two seeds.
std::string over_the_cells(const Plan& plan, const Comparison& comparison) {
  if (comparison.distinct < 2) return "";
  const std::string& figure = plan.experiment.report.figures[0];
  const std::string text = fmt::format(" Positive in {} cells, negative in {}.",
                                       comparison.positive, comparison.negative);
  if (comparison.overall.n < 2) return text;
  return text + fmt::format(" Averaged over the cells, seed by seed: {}, 95 % interval {}, {}.",
                            signed_text(figure, comparison.overall.mean),
                            interval_text(figure, comparison.overall),
                            p_sentence(comparison.overall_t));
}

}  // namespace

std::string distinct_comparisons(std::size_t count) {
  return fmt::format("{} distinct comparison{}", count, count == 1 ? "" : "s");
}

ResultTable comparison_table(const Plan& plan, const Comparison& comparison) {
  const std::string& figure = plan.experiment.report.figures[0];
  ResultTable table{.title = comparison.name,
                    .note = how_to_read(plan, comparison) + over_the_cells(plan, comparison),
                    .columns = {"cell", "pairs", "difference", "95 % interval", "p", "Holm",
                                "ranks", "ranks, Holm", "equal", "equal, Holm"},
                    .rows = {}};
  for (const CellComparison& c : comparison.cells) {
    table.rows.push_back({c.label, std::to_string(c.summary.n), mean_text(figure, c.summary),
                          interval_text(figure, c.summary), p_text(c.t), p_text(c.t_holm),
                          p_text(c.ranks), p_text(c.ranks_holm), equal_text(c),
                          p_text(c.equal_holm)});
  }
  return table;
}

ResultTable correlation_table(const Plan& plan, const CorrelationResult& result) {
  const std::string& figure = plan.experiment.report.figures[0];
  ResultTable table{.title = result.name, .note = {}, .columns = {}, .rows = {}};
  if (const auto& c = result.correlated) {
    table.note = fmt::format(
        "Over {} cells r = {:.2f} (Pearson). 95 %: {:.2f} to {:.2f} for other "
        "cells (Fisher's z, as if cells were independent; they share seeds)",
        c->n, c->r, c->low, c->high);
    if (const auto& seeds = result.by_seed) {
      table.note += fmt::format(", {:.2f} to {:.2f} for other seeds (jackknife over {})",
                                seeds->low, seeds->high, result.seeds);
    }
    table.note += fmt::format(
        ". Of the ranks rho = {:.2f} (Spearman). Whether a difference is a "
        "gain or a loss, and so what a sign says, is read from the two names.",
        c->rho);
  } else {
    table.note = "Too few cells are finished for a correlation.";
  }
  table.columns = {"cell", result.x_name, result.y_name};
  for (std::size_t i = 0; i < result.x.size(); ++i) {
    table.rows.push_back(
        {result.labels[i], figure_text(figure, result.x[i]), figure_text(figure, result.y[i])});
  }
  return table;
}

}  // namespace pare
