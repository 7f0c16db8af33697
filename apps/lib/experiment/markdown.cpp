#include "apps/lib/experiment/markdown.h"

#include <fmt/format.h>

#include <set>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/statistics.h"
#include "framework/base/text.h"

namespace pare {
namespace {

using config::Json;

// '|' ends a column.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c == '\n' ? ' ' : c);
  return result;
}

std::string row_text(const std::vector<std::string>& fields) {
  return "| " + join(fields, " | ") + " |\n";
}

// The figure of a cell over its finished seeds.
Summary summary_of(const Plan& plan, const Collected& collected, std::size_t cell,
                   const std::string& name) {
  std::vector<double> values;
  for (const PlannedRow& row : plan.rows) {
    if (row.cell != cell || !collected.results[row.run]) continue;
    if (const auto value = figure(*collected.results[row.run], name)) values.push_back(*value);
  }
  return summarize(values);
}

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

std::string heading(const Plan& plan) {
  const std::vector<std::string>& figures = plan.experiment.report.figures;
  std::vector<std::string> titles;
  for (const Axis& axis : plan.experiment.axes) titles.push_back(escaped(axis.name));
  titles.push_back("seeds");
  for (std::size_t i = 0; i < figures.size(); ++i) {
    titles.push_back(figure_title(figures[i]));
    if (i == 0) titles.push_back("95 % interval");
  }
  const std::vector<std::string> rule(titles.size(), "---");
  return row_text(titles) + row_text(rule);
}

std::string cell_row(const Plan& plan, const Collected& collected, std::size_t index) {
  const Cell& cell = plan.cells[index];
  const std::vector<std::string>& figures = plan.experiment.report.figures;
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < cell.at.size(); ++i)
    fields.push_back(escaped(plan.experiment.axes[i].points[cell.at[i]].label));
  std::size_t finished = 0;
  for (const PlannedRow& row : plan.rows)
    finished += row.cell == index && collected.results[row.run] ? 1 : 0;
  fields.push_back(finished == cell.seeds.size()
                       ? std::to_string(finished)
                       : fmt::format("{} of {}", finished, cell.seeds.size()));
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Summary s = summary_of(plan, collected, index, figures[i]);
    fields.push_back(mean_text(figures[i], s));
    if (i == 0) fields.push_back(interval_text(figures[i], s));
  }
  return row_text(fields);
}

// What a reader must know before believing the table.
std::string remarks(const Plan& plan, const Collected& collected) {
  std::set<std::string> fallbacks;
  bool after_training = false;
  for (const auto& result : collected.results) {
    if (!result) continue;
    const Json kind = value_at(*result, "dataset.kind");
    const Json requested = value_at(*result, "dataset.requested");
    if (kind != requested) fallbacks.insert(kind.dump() + " instead of " + requested.dump());
    after_training = after_training || value_at(*result, "integer_from") == Json("post_training");
  }
  std::string text;
  if (plan.smoke)
    text += "* These are `--smoke` runs: a few updates each. The numbers mean nothing.\n";
  for (const std::string& fallback : fallbacks)
    text += fmt::format("* The data set is {}.\n", fallback);
  if (after_training) {
    text +=
        "* Networks that end without quantization were quantized after training (8 bits) for the "
        "integer columns.\n";
  }
  return text.empty() ? "" : text + "\n";
}

std::string failures(const Plan& plan, const Collected& collected) {
  std::string text;
  for (const PlannedRow& row : plan.rows) {
    const std::optional<Failure>& failure = collected.failures[row.run];
    if (!failure) continue;
    text += fmt::format("* {} seed {} (`runs/{}`, exit code {}): {}\n",
                        label(plan.experiment, plan.cells[row.cell]), row.seed,
                        plan.runs[row.run].hash, failure->code, escaped(failure->message));
  }
  return text.empty() ? "" : "\n## Runs that failed\n\n" + text;
}

}  // namespace

std::string results_markdown(const Plan& plan, const Collected& collected) {
  std::string text = fmt::format("# {}\n\n", plan.experiment.name);
  text += fmt::format(
      "{} of {} runs are finished. Mean ± standard deviation over seeds; the interval is that of "
      "the "
      "mean\n(Student's t). One row a run is in `results.csv`, times are in `timing.csv`.\n\n",
      collected.finished(), plan.runs.size());
  text += remarks(plan, collected) + heading(plan);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) text += cell_row(plan, collected, i);
  return text + failures(plan, collected);
}

}  // namespace pare
