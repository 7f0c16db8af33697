#include "apps/lib/experiment/markdown.h"

#include <fmt/format.h>

#include "apps/lib/experiment/tables.h"
#include "framework/base/text.h"

namespace pare {
namespace {

// '|' ends a column.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c == '\n' ? ' ' : c);
  return result;
}

std::string row_text(const std::vector<std::string>& fields) {
  std::vector<std::string> safe;
  for (const std::string& field : fields) safe.push_back(escaped(field));
  return "| " + join(safe, " | ") + " |\n";
}

std::string table_text(const ResultTable& table) {
  std::string text = row_text(table.columns);
  text += row_text(std::vector<std::string>(table.columns.size(), "---"));
  for (const std::vector<std::string>& row : table.rows) text += row_text(row);
  return text;
}

std::string failure_text(const std::string& what, std::uint64_t seed, const PlannedRun& run,
                         const Failure& failure) {
  return fmt::format("* {} seed {} (`runs/{}`, exit code {}): {}\n", what, seed, run.hash,
                     failure.code, escaped(failure.message));
}

std::string failures(const Plan& plan, const Collected& collected) {
  std::string text;
  for (const PlannedRow& row : plan.rows) {
    const std::optional<Failure>& failure = collected.failures[row.run];
    if (!failure) continue;
    text += failure_text(label(plan.experiment, plan.cells[row.cell]), row.seed, plan.runs[row.run],
                         *failure);
  }
  for (const DenseRow& row : plan.dense) {
    if (row.is_cell) continue;
    for (std::size_t i = 0; i < row.runs.size(); ++i) {
      const std::optional<Failure>& failure = collected.failures[row.runs[i]];
      if (failure) text += failure_text("dense", row.seeds[i], plan.runs[row.runs[i]], *failure);
    }
  }
  return text.empty() ? "" : "\n## Runs that failed\n\n" + text;
}

}  // namespace

std::string results_markdown(const Plan& plan, const Collected& collected) {
  std::string text = fmt::format("# {}\n\n", plan.experiment.name);
  text += fmt::format(
      "{} of {} runs are finished. Mean ± standard deviation over seeds; the interval is that of "
      "the mean\n(Student's t). One row a run is in `results.csv`, times are in `timing.csv`.\n\n",
      collected.finished(), plan.runs.size());
  for (const std::string& remark : result_remarks(plan, collected)) text += "* " + remark + "\n";
  if (!result_remarks(plan, collected).empty()) text += "\n";
  for (const ResultTable& table : result_tables(plan, collected)) {
    if (!table.title.empty()) text += fmt::format("\n## {}\n\n", table.title);
    if (!table.note.empty()) text += table.note + "\n\n";
    text += table_text(table);
  }
  return text + failures(plan, collected);
}

}  // namespace pare
