#include "apps/lib/experiment/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "apps/lib/branch.h"
#include "apps/lib/experiment/comparison.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

constexpr std::size_t kHashDigits = 16;  // 64 bits: a million runs collide with chance 3e-8
constexpr double kStepsPerEpoch = 500;   // where a phase counts updates; only times depend on it

// Keys of `report` that decide what is shown and not what is found.
constexpr const char* kOnlyShown[] = {"histograms", "images", "tensorboard", "telemetry"};

double epochs_of(const RunConfig& run) {
  double epochs = 0;
  for (const PhaseConfig& phase : run.phases) {
    epochs +=
        phase.steps ? static_cast<double>(*phase.steps) / kStepsPerEpoch : phase.epochs.value_or(0);
  }
  return epochs;
}

PlannedRun planned(const RunConfig& run) {
  const double epochs = epochs_of(run);
  return {.hash = run.name,
          .config = config::write(run),
          .all_epochs = epochs,
          .epochs = epochs,
          .beginning = {}};
}

RunConfig read_cell(const ExperimentConfig& experiment, const Cell& cell) {
  try {
    RunConfig run = config::read<RunConfig>(cell.config);
    std::erase_if(run.compression,
                  [&](const auto& entry) { return !is_applied(run, entry.first); });
    if (run.compression.empty()) run.composition = Composition::mask_then_quantize;
    return run;
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}\n  in the cell {}", error.what(), label(experiment, cell)));
  }
}

// Finds every run once, by its hash; what refers to runs does so by hash until all are known.
class Planner {
 public:
  explicit Planner(const ExperimentConfig& experiment, bool smoke)
      : sharing_(experiment.share), smoke_(smoke) {}

  void add_cell(std::size_t cell, const std::vector<std::uint64_t>& seeds, const RunConfig& run,
                bool with_dense) {
    const std::size_t first = rows_.size();
    for (const std::uint64_t seed : seeds)
      rows_.push_back({{cell, seed, 0}, add_run(run, seed), std::nullopt});
    if (!with_dense) return;
    const RunConfig dense = dense_counterpart(run);
    const std::string key = run_hash(dense, smoke_);
    Dense& row = dense_[key];
    row.cells.push_back(cell);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      rows_[first + i].dense = add_run(dense, seeds[i]);
      if (std::find(row.seeds.begin(), row.seeds.end(), seeds[i]) != row.seeds.end()) continue;
      row.seeds.push_back(seeds[i]);
      row.hashes.push_back(*rows_[first + i].dense);
    }
    if (row.cells.size() == 1) order_.push_back(key);
  }

  void finish(Plan& plan) {
    std::stable_sort(runs_.begin(), runs_.end(), [](const PlannedRun& a, const PlannedRun& b) {
      return a.config["seed"] < b.config["seed"];
    });
    for (std::size_t i = 0; i < runs_.size(); ++i) index_[runs_[i].hash] = i;
    std::set<std::size_t> of_cells;
    for (Row& row : rows_) {
      row.planned.run = index_.at(row.run);
      if (row.dense) row.planned.dense = index_.at(*row.dense);
      of_cells.insert(row.planned.run);
      plan.rows.push_back(row.planned);
    }
    for (const std::string& key : order_) {
      const Dense& from = dense_.at(key);
      DenseRow row{.seeds = from.seeds, .runs = {}, .cells = from.cells};
      for (const std::string& hash : from.hashes) row.runs.push_back(index_.at(hash));
      row.is_cell = std::ranges::all_of(row.runs, [&](auto run) { return of_cells.contains(run); });
      plan.dense.push_back(std::move(row));
    }
    share(plan);
    plan.runs = std::move(runs_);
  }

 private:
  struct Row {
    PlannedRow planned;
    std::string run;
    std::optional<std::string> dense;
  };
  struct Dense {
    std::vector<std::uint64_t> seeds;
    std::vector<std::string> hashes;
    std::vector<std::size_t> cells;
  };
  // A beginning and the runs that have it.
  struct Shared {
    PlannedRun beginning;
    std::vector<std::string> runs;
    std::size_t phases = 0;
    std::vector<std::size_t> points;  // where it may branch itself
  };

  std::string add_run(RunConfig run, std::uint64_t seed) {
    run.seed = seed;
    run.name = run_hash(run, smoke_);
    if (index_.contains(run.name)) return run.name;
    index_[run.name] = 0;
    runs_.push_back(planned(run));
    add_beginnings(run);
    return run.name;
  }

  void add_beginnings(const RunConfig& run) {
    if (sharing_ == Sharing::none) return;
    for (const std::size_t phases : branch_points(run)) {
      RunConfig beginning = beginning_of(run, phases);
      if (sharing_ == Sharing::dense && !beginning.compression.empty()) break;
      beginning.name = run_hash(beginning, smoke_);
      Shared& shared = shared_[beginning.name];
      shared.beginning = planned(beginning);
      shared.phases = phases;
      shared.points = branch_points(beginning);
      shared.runs.push_back(run.name);
      begins_[run.name].push_back(beginning.name);
    }
  }

  // What a run shares, the shortest first. A beginning that one run has gains nothing, and neither
  // does one where all its runs have a longer one in common, or one that adds no epochs.
  std::vector<std::string> worth_sharing(const std::vector<std::string>& candidates) const {
    std::vector<std::string> worth;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Shared& shared = shared_.at(candidates[i]);
      const std::size_t longer =
          i + 1 < candidates.size() ? shared_.at(candidates[i + 1]).runs.size() : 0;
      if (shared.runs.size() <= std::max<std::size_t>(longer, 1)) continue;
      if (worth.empty() || goes_on(shared, shared_.at(worth.back())))
        worth.push_back(candidates[i]);
    }
    return worth;
  }

  static bool goes_on(const Shared& longer, const Shared& shorter) {
    const auto& points = longer.points;
    return std::find(points.begin(), points.end(), shorter.phases) != points.end() &&
           longer.beginning.all_epochs > shorter.beginning.all_epochs;
  }

  void share(Plan& plan) {
    std::map<std::string, std::size_t> places;  // in plan.beginnings
    for (PlannedRun& run : runs_) {
      const auto candidates = begins_.find(run.hash);
      if (candidates == begins_.end()) continue;
      for (const std::string& hash : worth_sharing(candidates->second)) {
        const PlannedRun& shared = shared_.at(hash).beginning;
        if (const auto [place, is_new] = places.emplace(hash, plan.beginnings.size()); is_new) {
          plan.beginnings.push_back(shared);
          if (run.beginning) go_on_from(plan, *run.beginning, plan.beginnings.back());
        }
        run.beginning = places.at(hash);
      }
      if (run.beginning) go_on_from(plan, *run.beginning, run);
    }
  }

  static void go_on_from(const Plan& plan, std::size_t beginning, PlannedRun& run) {
    run.beginning = beginning;
    run.epochs = run.all_epochs - plan.beginnings[beginning].all_epochs;
  }

  Sharing sharing_;
  bool smoke_;
  std::vector<Row> rows_;
  std::vector<PlannedRun> runs_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, Dense> dense_;
  std::vector<std::string> order_;  // of the keys of dense_
  std::map<std::string, Shared> shared_;
  std::map<std::string, std::vector<std::string>> begins_;  // of each run, the shortest first
};

// Not beside what compresses nothing, nor where there is no such training: only a calibration, or
// phases that freeze parameters, which compression may have made.
bool wants_dense_row(const ExperimentConfig& experiment, const RunConfig& run) {
  const auto& phases = run.phases;
  return experiment.report.dense &&
         std::ranges::any_of(run.compression,
                             [](const auto& entry) { return entry.second.compresses(); }) &&
         std::ranges::none_of(phases, [](const PhaseConfig& p) { return !p.freeze.empty(); }) &&
         !std::ranges::all_of(phases, [](const PhaseConfig& p) { return p.calibrates(); });
}

}  // namespace

std::vector<std::size_t> beginnings_of(const Plan& plan, const PlannedRun& run) {
  std::vector<std::size_t> all;
  for (auto at = run.beginning; at; at = plan.beginnings[*at].beginning) all.push_back(*at);
  std::reverse(all.begin(), all.end());
  return all;
}

std::string run_hash(const RunConfig& run, bool smoke) {
  config::Json json = config::write(run);
  json.erase("name");
  for (const char* key : kOnlyShown) json["report"].erase(key);
  if (smoke) json["smoke"] = true;
  const std::string text = json.dump();
  return hex(sha256(std::as_bytes(std::span(text)))).substr(0, kHashDigits);
}

RunConfig dense_counterpart(const RunConfig& run) {
  RunConfig dense = run;
  dense.compression.clear();
  dense.phases.clear();
  dense.composition = Composition::mask_then_quantize;
  for (PhaseConfig phase : run.phases) {
    if (phase.calibrates()) continue;
    phase.apply.clear();
    phase.release.clear();
    const bool joins = phase.continues && !dense.phases.empty() && phase.freeze.empty() &&
                       phase.epochs && dense.phases.back().epochs;
    if (joins) {
      *dense.phases.back().epochs += *phase.epochs;
      continue;
    }
    const std::size_t n = dense.phases.size() + 1;
    if (n == 1) phase.continues = false;
    phase.name = n == 1 ? "dense" : fmt::format("dense_{}", n);
    dense.phases.push_back(std::move(phase));
  }
  return dense;
}

Plan make_plan(ExperimentConfig experiment, std::span<const std::string> sets, bool smoke) {
  Plan plan;
  plan.experiment = std::move(experiment);
  plan.smoke = smoke;
  plan.cells = make_grid(plan.experiment, sets);
  Planner planner(plan.experiment, smoke);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const Cell& cell = plan.cells[i];
    const RunConfig run = read_cell(plan.experiment, cell);
    planner.add_cell(i, cell.seeds, run, wants_dense_row(plan.experiment, run));
  }
  planner.finish(plan);
  check_comparisons(plan);
  return plan;
}

}  // namespace pare
