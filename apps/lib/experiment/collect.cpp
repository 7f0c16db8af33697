#include "apps/lib/experiment/collect.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/lib/experiment/figures.h"
#include "framework/base/text.h"

namespace pare {
namespace {

using config::Json;

// Of a number the shortest text that reads back as the same; nothing for null.
std::string field_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? csv_field(value.get<std::string>()) : value.dump();
}

// What a column of results shows: the value at a path of result.json.
struct Column {
  std::string name, path;
};

std::string table(const Plan& plan, const Collected& collected,
                  const std::vector<Column>& columns) {
  std::vector<std::string> fields = {"run"};
  for (const Axis& axis : plan.experiment.axes) fields.push_back(csv_field(axis.name));
  for (const char* name : {"seed", "dense"}) fields.emplace_back(name);
  for (const Column& column : columns) fields.push_back(column.name);
  std::string text = join(fields, ",") + "\n";
  for (const PlannedRow& row : plan.rows) {
    const std::optional<Json>& result = collected.results[row.run];
    if (!result) continue;
    fields = {plan.runs[row.run].hash};
    const Cell& cell = plan.cells[row.cell];
    for (std::size_t i = 0; i < cell.at.size(); ++i)
      fields.push_back(csv_field(plan.experiment.axes[i].points[cell.at[i]].label));
    fields.push_back(std::to_string(row.seed));
    fields.push_back(row.dense ? plan.runs[*row.dense].hash : "");
    for (const Column& column : columns) fields.push_back(field_of(value_at(*result, column.path)));
    text += join(fields, ",") + "\n";
  }
  return text;
}

template <class T>
std::size_t count_present(const std::vector<std::optional<T>>& list) {
  return static_cast<std::size_t>(
      std::count_if(list.begin(), list.end(), [](const auto& x) { return x.has_value(); }));
}

}  // namespace

std::size_t Collected::finished() const { return count_present(results); }
std::size_t Collected::failed() const { return count_present(failures); }

Collected collect(const Plan& plan, const ExperimentFolder& folder) {
  Collected collected;
  for (const PlannedRun& run : plan.runs) {
    collected.results.push_back(folder.result(run.hash));
    collected.failures.push_back(collected.results.back() ? std::nullopt
                                                          : folder.failure(run.hash));
  }
  return collected;
}

std::string results_csv(const Plan& plan, const Collected& collected) {
  std::vector<Column> columns = {{"dataset", "dataset.kind"}};  // a fallback may be among them
  for (const std::string& name : result_figures()) columns.push_back({name, name});
  return table(plan, collected, columns);
}

std::string timing_csv(const Plan& plan, const Collected& collected) {
  return table(plan, collected, {{"seconds", "seconds"}, {"latency_us", "latency_us"}});
}

std::string dense_csv(const Plan& plan, const Collected& collected) {
  std::vector<std::string> fields = {"run", "epochs", "seed"};
  const std::vector<std::string> figures = result_figures();
  fields.insert(fields.end(), figures.begin(), figures.end());
  std::string text = join(fields, ",") + "\n";
  for (const DenseRow& dense : plan.dense) {
    for (std::size_t i = 0; i < dense.runs.size(); ++i) {
      const PlannedRun& run = plan.runs[dense.runs[i]];
      const std::optional<Json>& result = collected.results[dense.runs[i]];
      if (!result) continue;
      fields = {run.hash, Json(run.all_epochs).dump(), std::to_string(dense.seeds[i])};
      for (const std::string& name : figures) fields.push_back(field_of(value_at(*result, name)));
      text += join(fields, ",") + "\n";
    }
  }
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace pare
