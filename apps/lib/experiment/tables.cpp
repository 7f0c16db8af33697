#include "apps/lib/experiment/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/experiment/comparison_tables.h"
#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/matrix.h"
#include "apps/lib/experiment/pareto.h"
#include "framework/base/text.h"

namespace pare {
namespace {

using config::Json;

constexpr const char* kCosts[] = {"bytes.model", "bops"};

std::string count_text(std::size_t finished, std::size_t all) {
  return finished == all ? std::to_string(all) : fmt::format("{} of {}", finished, all);
}

// The distance of a cell to plain training with its budget, seed by seed, of the first figure.
std::string against_dense(const Plan& plan, const Collected& collected, std::size_t cell) {
  const std::string& name = plan.experiment.report.figures[0];
  std::vector<double> differences;
  bool has_dense = false;
  for (const PlannedRow& row : plan.rows) {
    if (row.cell != cell || !row.dense) continue;
    has_dense = true;
    const auto& ours = collected.results[row.run];
    const auto& dense = collected.results[*row.dense];
    if (!ours || !dense) continue;
    const auto a = figure(*ours, name), b = figure(*dense, name);
    if (a && b) differences.push_back(*a - *b);
  }
  if (!has_dense) return "";
  const Summary s = summarize(differences);
  if (s.n == 0) return "-";
  const std::string mean = signed_text(name, s.mean);
  return s.deviation && *s.deviation > 0 ? mean + " ± " + figure_text(name, *s.deviation) : mean;
}

// The figures of one row, from the results of its finished runs; `against` is what stands behind
// the first one where the table has such a column.
std::vector<std::string> figure_cells(const Plan& plan, const std::vector<Json>& results,
                                      const std::string& against) {
  std::vector<std::string> cells;
  const std::vector<std::string>& figures = plan.experiment.report.figures;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    std::vector<double> values;
    for (const Json& result : results) {
      if (const auto value = figure(result, figures[i])) values.push_back(*value);
    }
    const Summary s = summarize(values);
    cells.push_back(mean_text(figures[i], s));
    if (i > 0) continue;
    cells.push_back(interval_text(figures[i], s));
    if (!plan.dense.empty()) cells.push_back(against);
  }
  return cells;
}

std::vector<Json> results_of(const Collected& collected, const std::vector<std::size_t>& runs) {
  std::vector<Json> results;
  for (const std::size_t run : runs) {
    if (collected.results[run]) results.push_back(*collected.results[run]);
  }
  return results;
}

std::vector<std::size_t> runs_of_cell(const Plan& plan, std::size_t cell) {
  std::vector<std::size_t> runs;
  for (const PlannedRow& row : plan.rows) {
    if (row.cell == cell) runs.push_back(row.run);
  }
  return runs;
}

// "97.22", or "" where nothing was published; and ours minus that, with the interval of our mean:
// how far the other number would lie from others like it is not known.
std::vector<std::string> published_cells(const Plan& plan, const Collected& collected,
                                         std::size_t cell) {
  const ExperimentReport& report = plan.experiment.report;
  if (!report.published) return {};
  const std::optional<double>& value = plan.cells[cell].published;
  if (!value) return {"", "", ""};
  Summary s = cell_summary(plan, collected, cell, report.figures[0]);
  s.mean -= *value;
  return {figure_text(report.figures[0], *value),
          s.n == 0 ? "-" : figure_text(report.figures[0], s.mean),
          interval_text(report.figures[0], s)};
}

std::vector<std::string> cell_row(const Plan& plan, const Collected& collected, std::size_t index) {
  const Cell& cell = plan.cells[index];
  std::vector<std::string> row;
  for (std::size_t i = 0; i < cell.at.size(); ++i)
    row.push_back(plan.experiment.axes[i].points[cell.at[i]].label);
  if (row.empty()) row.push_back(points_label(plan, index));
  const std::vector<Json> results = results_of(collected, runs_of_cell(plan, index));
  row.push_back(count_text(results.size(), cell.seeds.size()));
  const std::string against = against_dense(plan, collected, index);
  for (std::string& text : figure_cells(plan, results, against)) row.push_back(std::move(text));
  for (std::string& text : published_cells(plan, collected, index)) row.push_back(std::move(text));
  return row;
}

// That one of its runs is trained for, with a beginning that it shares.
double epochs_of(const Plan& plan, const DenseRow& dense) {
  return plan.runs[dense.runs[0]].all_epochs;
}

std::vector<std::string> dense_row(const Plan& plan, const Collected& collected,
                                   const DenseRow& dense, const std::string& label,
                                   std::size_t columns) {
  std::vector<std::string> row(std::max<std::size_t>(plan.experiment.axes.size(), 1));
  row[0] = label;
  const std::vector<Json> results = results_of(collected, dense.runs);
  row.push_back(count_text(results.size(), dense.seeds.size()));
  for (std::string& text : figure_cells(plan, results, "")) row.push_back(std::move(text));
  row.resize(columns);
  return row;
}

// What its cells have in common and not every cell has: "rung 5, epochs 3".
std::vector<std::string> common_points(const Plan& plan, const DenseRow& row) {
  std::vector<std::string> common;
  const std::vector<std::size_t>& first = plan.cells[row.cells[0]].at;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Axis& axis = plan.experiment.axes[i];
    const bool same = std::all_of(row.cells.begin(), row.cells.end(), [&](std::size_t cell) {
      return plan.cells[cell].at[i] == first[i];
    });
    if (same && axis.points.size() > 1)
      common.push_back(short_name(axis.name) + " " + axis.points[first[i]].label);
  }
  return common;
}

// Of several such rows each says whose budget it has.
std::string dense_label(const Plan& plan, const DenseRow& row, bool several) {
  std::string label = "dense, same total budget";
  if (!several) return label;
  label += fmt::format(", {:g} epochs", epochs_of(plan, row));
  for (const std::string& point : common_points(plan, row)) label += ", " + point;
  return label + fmt::format(" ({} cell{})", row.cells.size(), row.cells.size() == 1 ? "" : "s");
}

void add_dense_rows(const Plan& plan, const Collected& collected, ResultTable& table) {
  std::vector<const DenseRow*> rows;
  for (const DenseRow& row : plan.dense) {
    if (!row.is_cell) rows.push_back(&row);
  }
  for (const DenseRow* row : rows) {
    const std::string label = dense_label(plan, *row, rows.size() > 1);
    table.rows.push_back(dense_row(plan, collected, *row, label, table.columns.size()));
  }
}

ResultTable front_table(const Plan& plan, const Collected& collected, const std::string& cost) {
  const std::string& value = plan.experiment.report.figures[0];
  ResultTable table{.title = fmt::format("Pareto front of {} and {}", value, cost),
                    .note = "Cells that no other one beats in both means.",
                    .columns = {"cell", figure_title(value), figure_title(cost)},
                    .rows = {}};
  for (const std::size_t cell : front_of(plan, collected, cost)) {
    table.rows.push_back({points_label(plan, cell),
                          mean_text(value, cell_summary(plan, collected, cell, value)),
                          mean_text(cost, cell_summary(plan, collected, cell, cost))});
  }
  return table;
}

}  // namespace

std::string mean_text(const std::string& name, const Summary& s) {
  if (s.n == 0) return "-";
  const std::string mean = figure_text(name, s.mean);
  return s.deviation && *s.deviation > 0 ? mean + " ± " + figure_text(name, *s.deviation) : mean;
}

std::string interval_text(const std::string& name, const Summary& s) {
  if (!s.half_width) return "-";
  return fmt::format("{} to {}", figure_text(name, s.mean - *s.half_width),
                     figure_text(name, s.mean + *s.half_width));
}

std::string signed_text(const std::string& name, double value) {
  const std::string text = figure_text(name, value), zero = figure_text(name, 0);
  if (text == zero || text == "-" + zero) return zero;
  return text[0] == '-' ? text : "+" + text;
}

std::string points_label(const Plan& plan, std::size_t cell) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < plan.cells[cell].at.size(); ++i) {
    const Axis& axis = plan.experiment.axes[i];
    if (axis.points.size() > 1) parts.push_back(axis.points[plan.cells[cell].at[i]].label);
  }
  return parts.empty() ? "the base config" : join(parts, ", ");
}

std::vector<std::size_t> front_of(const Plan& plan, const Collected& collected,
                                  const std::string& cost) {
  std::vector<Tradeoff> points;
  std::vector<std::size_t> cells;
  std::set<std::vector<std::size_t>> seen;  // an axis that a run does not feel gives equal cells
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!seen.insert(runs_of_cell(plan, i)).second) continue;
    const Summary value = cell_summary(plan, collected, i, plan.experiment.report.figures[0]);
    const Summary price = cell_summary(plan, collected, i, cost);
    if (value.n == 0 || price.n == 0) continue;
    points.push_back({price.mean, value.mean});
    cells.push_back(i);
  }
  std::vector<std::size_t> front;
  for (const std::size_t i : pareto_front(points)) front.push_back(cells[i]);
  return front;
}

ResultTable main_table(const Plan& plan, const Collected& collected) {
  const ExperimentReport& report = plan.experiment.report;
  ResultTable table;
  table.of_all_cells = true;
  for (const Axis& axis : plan.experiment.axes) table.columns.push_back(axis.name);
  if (table.columns.empty()) table.columns.emplace_back("network");
  table.texts = table.columns.size();
  table.columns.emplace_back("seeds");
  for (std::size_t i = 0; i < report.figures.size(); ++i) {
    table.columns.push_back(figure_title(report.figures[i]));
    if (i > 0) continue;
    table.columns.emplace_back("95 % interval");
    if (!plan.dense.empty()) table.columns.emplace_back("against dense");
  }
  if (report.published) {
    table.columns.push_back(report.published->source);
    table.columns.emplace_back("ours minus it");
    table.columns.emplace_back("95 % of our mean");
  }
  for (std::size_t i = 0; i < plan.cells.size(); ++i)
    table.rows.push_back(cell_row(plan, collected, i));
  add_dense_rows(plan, collected, table);
  return table;
}

std::vector<ResultTable> plain_tables(const Plan& plan, const Collected& collected) {
  std::vector<ResultTable> tables;
  const bool many = plan.cells.size() > kManyCells;
  if (!many) tables.push_back(main_table(plan, collected));
  for (const Comparison& comparison : comparisons(plan, collected))
    tables.push_back(comparison_table(plan, comparison));
  for (const CorrelationResult& result : correlations(plan, collected))
    tables.push_back(correlation_table(plan, result));
  for (const char* cost : kCosts) {
    if (plan.cells.size() > 1 && !front_of(plan, collected, cost).empty())
      tables.push_back(front_table(plan, collected, cost));
  }
  if (many) {
    tables.push_back(main_table(plan, collected));
    tables.back().title = "All cells";
  }
  return tables;
}

std::vector<ResultTable> result_tables(const Plan& plan, const Collected& collected) {
  std::vector<ResultTable> tables = plain_tables(plan, collected);
  // Behind the table of all cells, where that comes first.
  auto at = tables.begin() + (tables.front().title.empty() ? 1 : 0);
  for (const ResultMatrix& matrix : matrices(plan, collected))
    at = tables.insert(at, to_table(matrix)) + 1;
  return tables;
}

std::vector<std::string> result_remarks(const Plan& plan, const Collected& collected) {
  std::map<std::string, int> fallbacks;  // how many runs
  bool after_training = false;
  for (const auto& result : collected.results) {
    if (!result) continue;
    const Json kind = value_at(*result, "dataset.kind");
    const Json requested = value_at(*result, "dataset.requested");
    if (kind != requested) ++fallbacks[kind.dump() + " instead of " + requested.dump()];
    after_training = after_training || value_at(*result, "integer_from") == Json("post_training");
  }
  std::vector<std::string> remarks;
  if (!plan.experiment.report.note.empty()) {
    remarks.push_back(plan.experiment.report.note);
    std::ranges::replace_if(  // one line, for the comments of LaTeX
        remarks.back(), [](unsigned char c) { return c < 0x20; }, ' ');
  }
  if (plan.smoke)
    remarks.emplace_back("These are `--smoke` runs: a few updates each. The numbers mean nothing.");
  for (const auto& [fallback, runs] : fallbacks) {
    remarks.push_back(fmt::format("The data set is {} in {} of {} finished runs.", fallback, runs,
                                  collected.finished()));
  }
  if (after_training) {
    remarks.emplace_back(
        "Networks that end without quantization were quantized after training (8 bits) for the "
        "integer columns.");
  }
  return remarks;
}

}  // namespace pare
