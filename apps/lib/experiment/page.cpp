// Matrices and plots first, then the tables that they are drawn from. Where an experiment has more
// cells than a plot can show, a matrix stands in its place, and long tables are folded.
#include "apps/lib/experiment/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/matrix.h"
#include "apps/lib/experiment/tables.h"
#include "apps/lib/report/heat_table.h"
#include "apps/lib/report/html.h"
#include "apps/lib/report/interval_plot.h"
#include "apps/lib/report/scatter.h"
#include "apps/lib/report/style.h"
#include "apps/lib/report/table.h"

namespace pare {
namespace {

using report::escape;

// Accuracies and sparsities in percent.
double shown(const std::string& figure, double value) {
  return is_fraction(figure) ? 100 * value : value;
}

const std::string& main_figure(const Plan& plan) { return plan.experiment.report.figures[0]; }

report::IntervalRow interval_row(const std::string& figure, const std::string& label,
                                 const Summary& s) {
  report::IntervalRow row{.label = label, .mean = shown(figure, s.mean)};
  if (s.half_width) row.half_width = shown(figure, *s.half_width);
  return row;
}

report::IntervalRow cell_interval(const Plan& plan, const Collected& collected, std::size_t cell) {
  const std::string& name = main_figure(plan);
  report::IntervalRow row =
      interval_row(name, points_label(plan, cell), cell_summary(plan, collected, cell, name));
  for (const PlannedRow& r : plan.rows) {
    if (r.cell != cell || !collected.results[r.run]) continue;
    if (const auto value = figure(*collected.results[r.run], name))
      row.values.push_back(shown(name, *value));
  }
  return row;
}

// Where there are many cells, a matrix shows them.
std::string cell_plot(const Plan& plan, const Collected& collected) {
  if (plan.cells.size() > kManyCells) return "";
  report::IntervalPlot plot{.title = "Cells", .unit = figure_title(main_figure(plan)), .rows = {}};
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
    if (cell_summary(plan, collected, cell, main_figure(plan)).n > 0)
      plot.rows.push_back(cell_interval(plan, collected, cell));
  }
  return plot.rows.empty() ? "" : to_html(plot);
}

report::IntervalPlot difference_plot(const Plan& plan, const std::string& title) {
  const std::string& name = main_figure(plan);
  return {.title = title,
          .unit = "difference of " + figure_title(name),
          .around = 0,
          .margin = shown(name, plan.experiment.report.margin),
          .rows = {}};
}

void add_row(report::IntervalPlot& plot, const std::string& figure, const std::string& label,
             const CellComparison& cell) {
  if (cell.summary.n == 0) return;
  report::IntervalRow row = interval_row(figure, label, cell.summary);
  for (const double d : cell.differences) row.values.push_back(shown(figure, d));
  plot.rows.push_back(std::move(row));
}

// Several comparisons of one cell each: one plot with a row for each comparison.
std::string ladder_plot(const Plan& plan, const std::vector<Comparison>& comparisons) {
  report::IntervalPlot plot = difference_plot(plan, "Comparisons");
  for (const Comparison& comparison : comparisons)
    add_row(plot, main_figure(plan), comparison.name, comparison.cells[0]);
  return to_html(plot);
}

std::string comparison_plots(const Plan& plan, const Collected& collected) {
  const std::string& name = main_figure(plan);
  std::string html;
  const std::vector<Comparison> all = comparisons(plan, collected);
  const bool single =
      std::all_of(all.begin(), all.end(), [](const Comparison& c) { return c.cells.size() == 1; });
  if (all.size() > 1 && single) return ladder_plot(plan, all);
  for (const Comparison& comparison : all) {
    if (comparison.cells.size() > kManyCells) continue;  // a matrix and a table show them
    report::IntervalPlot plot = difference_plot(plan, comparison.name);
    for (const CellComparison& cell : comparison.cells) add_row(plot, name, cell.label, cell);
    html += to_html(plot);
  }
  return html;
}

// "quantized only minus pruned only (%-points)": differences of fractions.
std::string difference_title(const Plan& plan, const std::string& name) {
  return is_fraction(main_figure(plan)) ? name + " (% points)" : name;
}

std::string correlation_plots(const Plan& plan, const Collected& collected) {
  const std::string& name = main_figure(plan);
  std::string html;
  for (const CorrelationResult& result : correlations(plan, collected)) {
    std::string title = result.name;
    if (const auto& c = result.correlated)
      title += fmt::format(": r = {:.2f} ({:.2f} to {:.2f})", c->r, c->low, c->high);
    report::Scatter scatter{.title = title,
                            .x_label = difference_title(plan, result.x_name),
                            .y_label = difference_title(plan, result.y_name),
                            .marks_zero = true,
                            .points = {}};
    for (std::size_t i = 0; i < result.x.size(); ++i) {
      scatter.points.push_back(
          {shown(name, result.x[i]), shown(name, result.y[i]), result.labels[i]});
    }
    html += to_html(scatter);
  }
  return html;
}

std::string front_plots(const Plan& plan, const Collected& collected) {
  const std::string& name = main_figure(plan);
  std::string html;
  for (const char* cost : {"bytes.model", "bops"}) {
    const std::vector<std::size_t> front = front_of(plan, collected, cost);
    if (front.empty() || plan.cells.size() < 2) continue;
    report::Scatter scatter{.title = fmt::format("{} against {}", name, cost),
                            .x_label = std::string(cost) + " (orange: the Pareto front)",
                            .y_label = figure_title(name),
                            .x_scale = report::Scale::logarithmic,
                            .points = {}};
    for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
      const Summary x = cell_summary(plan, collected, cell, cost);
      const Summary y = cell_summary(plan, collected, cell, name);
      if (x.n == 0 || y.n == 0) continue;
      const bool on_front = std::find(front.begin(), front.end(), cell) != front.end();
      scatter.points.push_back({x.mean, shown(name, y.mean), points_label(plan, cell), on_front});
    }
    html += to_html(scatter);
  }
  return html;
}

std::string matrix_html(const ResultMatrix& from) {
  report::HeatTable table{.note = from.note,
                          .row_names = from.row_axes,
                          .column_name = from.column_axis,
                          .columns = from.columns,
                          .rows = {}};
  for (const ResultMatrix::Row& row : from.rows) {
    report::HeatTable::Row to{.labels = row.labels, .cells = {}};
    for (const std::optional<MatrixCell>& cell : row.cells) {
      to.cells.push_back(cell ? std::optional(report::HeatCell{cell->text, cell->distance,
                                                               cell->marked, cell->hint})
                              : std::nullopt);
    }
    table.rows.push_back(std::move(to));
  }
  return fmt::format("<h2>{}</h2>\n{}", escape(from.title), to_html(table));
}

// A long one is there when it is asked for.
std::string table_html(const ResultTable& from) {
  constexpr std::size_t kLong = 40;
  report::Table table;
  for (std::size_t i = 0; i < from.columns.size(); ++i)
    table.columns.push_back({from.columns[i], "", i < from.texts});
  for (const std::vector<std::string>& row : from.rows) {
    std::vector<std::string> cells;
    for (const std::string& text : row) cells.push_back(escape(text));
    table.rows.push_back(std::move(cells));
  }
  std::string html =
      fmt::format("<h2>{}</h2>\n", escape(from.title.empty() ? "All cells" : from.title));
  if (!from.note.empty()) html += "<p class=\"soft\">" + escape(from.note) + "</p>\n";
  if (from.rows.size() <= kLong) return html + to_html(table);
  return html + fmt::format("<details><summary>{} rows</summary>\n{}</details>\n", from.rows.size(),
                            to_html(table));
}

std::string failures(const Plan& plan, const Collected& collected) {
  std::string items;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    if (const std::optional<Failure>& failure = collected.failures[i])
      items += fmt::format("<li><code>runs/{}</code>, exit code {}: {}</li>\n", plan.runs[i].hash,
                           failure->code, escape(failure->message));
  }
  return items.empty() ? "" : "<h2>Runs that failed</h2>\n<ul class=\"notes\">" + items + "</ul>\n";
}

}  // namespace

std::string results_page(const Plan& plan, const Collected& collected) {
  const std::string name = escape(plan.experiment.name);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}: "
      "Pare</title>\n<style>{}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
      name, report::kStyleSheet, name);
  html += fmt::format(
      "<p class=\"lead\">{} of {} runs are finished. Dots are means over seeds with the 95 % "
      "interval of the mean (Student's t), faint dots single runs.</p>\n",
      collected.finished(), plan.runs.size());
  for (const std::string& remark : result_remarks(plan, collected))
    html += "<p class=\"notice\">" + escape(remark) + "</p>\n";
  for (const ResultMatrix& matrix : matrices(plan, collected)) html += matrix_html(matrix);
  html += "<div class=\"charts plots\">\n" + cell_plot(plan, collected) +
          comparison_plots(plan, collected) + correlation_plots(plan, collected) +
          front_plots(plan, collected) + "</div>\n";
  for (const ResultTable& table : plain_tables(plan, collected)) html += table_html(table);
  return html + failures(plan, collected) + "</body>\n</html>\n";
}

}  // namespace pare
