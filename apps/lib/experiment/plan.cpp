#include "apps/lib/experiment/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "framework/base/error.h"
#include "framework/base/hash.h"

namespace pare {
namespace {

constexpr std::size_t kHashDigits = 16;  // 64 bits: a million runs collide with chance 3e-8
constexpr double kStepsPerEpoch = 500;   // where a phase counts updates; only times depend on it

// Keys of `report` that decide what is shown and not what is found.
constexpr const char* kOnlyShown[] = {"histograms", "images", "tensorboard"};

bool is_applied(const RunConfig& run, const std::string& method) {
  return std::any_of(run.phases.begin(), run.phases.end(), [&](const PhaseConfig& phase) {
    return std::find(phase.apply.begin(), phase.apply.end(), method) != phase.apply.end();
  });
}

double epochs_of(const RunConfig& run) {
  double epochs = 0;
  for (const PhaseConfig& phase : run.phases) {
    epochs +=
        phase.steps ? static_cast<double>(*phase.steps) / kStepsPerEpoch : phase.epochs.value_or(0);
  }
  return epochs;
}

RunConfig read_cell(const ExperimentConfig& experiment, const Cell& cell) {
  try {
    RunConfig run = config::read<RunConfig>(cell.config);
    std::erase_if(run.compression,
                  [&](const auto& entry) { return !is_applied(run, entry.first); });
    return run;
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}\n  in the cell {}", error.what(), label(experiment, cell)));
  }
}

// Rows with the hashes that they show; runs are found by hash.
class Planner {
 public:
  void add(std::size_t cell, std::uint64_t seed, RunConfig run, bool smoke) {
    run.seed = seed;
    run.name = run_hash(run, smoke);
    rows_.push_back({{cell, seed, 0}, run.name});
    if (!index_.contains(run.name)) {
      index_[run.name] = 0;
      runs_.push_back({.hash = run.name, .config = config::write(run), .epochs = epochs_of(run)});
    }
  }

  void finish(Plan& plan) {
    std::stable_sort(runs_.begin(), runs_.end(), [](const PlannedRun& a, const PlannedRun& b) {
      return a.config["seed"] < b.config["seed"];
    });
    for (std::size_t i = 0; i < runs_.size(); ++i) index_[runs_[i].hash] = i;
    for (auto& [row, hash] : rows_) {
      row.run = index_.at(hash);
      plan.rows.push_back(row);
    }
    plan.runs = std::move(runs_);
  }

 private:
  std::vector<std::pair<PlannedRow, std::string>> rows_;
  std::vector<PlannedRun> runs_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace

std::string run_hash(const RunConfig& run, bool smoke) {
  config::Json json = config::write(run);
  json.erase("name");
  for (const char* key : kOnlyShown) json["report"].erase(key);
  if (smoke) json["smoke"] = true;
  const std::string text = json.dump();
  return hex(sha256(std::as_bytes(std::span(text)))).substr(0, kHashDigits);
}

Plan make_plan(ExperimentConfig experiment, std::span<const std::string> sets, bool smoke) {
  Plan plan{
      .experiment = std::move(experiment), .smoke = smoke, .cells = {}, .rows = {}, .runs = {}};
  plan.cells = make_grid(plan.experiment, sets);
  Planner planner;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const RunConfig run = read_cell(plan.experiment, plan.cells[i]);
    for (const std::uint64_t seed : plan.cells[i].seeds) planner.add(i, seed, run, smoke);
  }
  planner.finish(plan);
  return plan;
}

}  // namespace pare
