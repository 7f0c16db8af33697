// Plots first, then the tables that they are drawn from. Where an experiment has more cells than a
// plot can show, the first axis cuts it into several.
#include "apps/lib/experiment/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/tables.h"
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

// All cells in one plot, or one plot a point of the first axis.
std::string cell_plots(const Plan& plan, const Collected& collected) {
  constexpr std::size_t kMostRows = 24;
  const bool cut = plan.cells.size() > kMostRows && !plan.experiment.axes.empty();
  const std::size_t plots = cut ? plan.experiment.axes[0].points.size() : 1;
  std::string html;
  for (std::size_t p = 0; p < plots; ++p) {
    report::IntervalPlot plot{
        .title = "Cells", .unit = figure_title(main_figure(plan)), .rows = {}};
    if (cut)
      plot.title = plan.experiment.axes[0].name + " " + plan.experiment.axes[0].points[p].label;
    for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
      if (cut && plan.cells[cell].at[0] != p) continue;
      if (cell_summary(plan, collected, cell, main_figure(plan)).n > 0)
        plot.rows.push_back(cell_interval(plan, collected, cell));
    }
    if (!plot.rows.empty()) html += to_html(plot);
  }
  return html;
}

std::string comparison_plots(const Plan& plan, const Collected& collected) {
  const std::string& name = main_figure(plan);
  std::string html;
  for (const Comparison& comparison : comparisons(plan, collected)) {
    report::IntervalPlot plot{.title = comparison.name,
                              .unit = "difference of " + figure_title(name),
                              .around = 0,
                              .margin = shown(name, plan.experiment.report.margin),
                              .rows = {}};
    for (const CellComparison& cell : comparison.cells) {
      if (cell.summary.n == 0) continue;
      report::IntervalRow row = interval_row(name, cell.label, cell.summary);
      for (const double d : cell.differences) row.values.push_back(shown(name, d));
      plot.rows.push_back(std::move(row));
    }
    html += to_html(plot);
  }
  return html;
}

std::string correlation_plots(const Plan& plan, const Collected& collected) {
  const std::string& name = main_figure(plan);
  std::string html;
  for (const CorrelationResult& result : correlations(plan, collected)) {
    report::Scatter scatter{.title = result.name,
                            .x_label = result.x_name,
                            .y_label = result.y_name,
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

std::string table_html(const ResultTable& from) {
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
  return html + to_html(table);
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
  html += "<div class=\"charts\">\n" + cell_plots(plan, collected) +
          comparison_plots(plan, collected) + correlation_plots(plan, collected) +
          front_plots(plan, collected) + "</div>\n";
  for (const ResultTable& table : result_tables(plan, collected)) html += table_html(table);
  return html + failures(plan, collected) + "</body>\n</html>\n";
}

}  // namespace pare
