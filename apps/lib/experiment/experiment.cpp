#include "apps/lib/experiment/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "apps/lib/experiment/collect.h"
#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/latex.h"
#include "apps/lib/experiment/markdown.h"
#include "apps/lib/experiment/null_cells.h"
#include "apps/lib/experiment/page.h"
#include "apps/lib/experiment/runner.h"
#include "apps/lib/experiment/same_data.h"
#include "apps/lib/experiment/shards.h"
#include "apps/lib/progress.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/parallel.h"
#include "framework/base/program.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

// Tables are made of everything each time; while runs end quickly, not after every one of them.
constexpr double kBetweenTables = 5;   // seconds at least
constexpr double kTimesTheirOwn = 50;  // and so many times what they take

using TableText = std::string (*)(const Plan&, const Collected&);
struct Table {
  const char* file;
  TableText text;
};
constexpr Table kTables[] = {{"results.csv", results_csv},   {"timing.csv", timing_csv},
                             {"dense.csv", dense_csv},       {"results.md", results_markdown},
                             {"results.tex", results_latex}, {"index.html", results_page}};

void write_tables(const Plan& plan, const ExperimentFolder& folder) {
  const Collected collected = collect(plan, folder);
  for (const Table& table : kTables) {
    if (table.text == dense_csv && plan.dense.empty()) continue;
    write_file_atomically(folder.file(table.file), table.text(plan, collected));
  }
}

// Tables before the last ones: those can be written again.
void try_tables(const Plan& plan, const ExperimentFolder& folder, Console& console, bool& warned) {
  try {
    write_tables(plan, folder);
  } catch (const FailedError& error) {
    if (!warned)
      console.warn(std::string(error.what()) + ". The runs go on; the tables come later");
    warned = true;
  }
}

// What a killed experiment left. Shards write the same tables, perhaps from another machine, whose
// processes we cannot see: there it stays for the command without --shard.
void remove_orphans(const ExperimentFolder& folder, const Shard& shard) {
  if (!shard.name().empty()) return;
  std::vector<std::string> tables;
  for (const Table& table : kTables) tables.emplace_back(table.file);
  remove_temporary_files(folder.path(), tables, OtherWriters::some);
}

const char* state_of(const Collected& collected, std::size_t run) {
  if (collected.results[run]) return "finished";
  return collected.failures[run] ? "failed" : "to do";
}

Json row_json(const Plan& plan, const Collected& collected, const PlannedRow& row) {
  Json json = {{"run", plan.runs[row.run].hash}, {"axes", Json::object()}, {"seed", row.seed}};
  const Cell& cell = plan.cells[row.cell];
  for (std::size_t i = 0; i < cell.at.size(); ++i) {
    const Axis& axis = plan.experiment.axes[i];
    json["axes"][axis.name] = axis.points[cell.at[i]].value;
  }
  json["dense"] = row.dense ? Json(plan.runs[*row.dense].hash) : Json();
  json["state"] = state_of(collected, row.run);
  if (const auto& result = collected.results[row.run]) {
    for (const std::string& name : result_figures()) json[name] = value_at(*result, name);
  }
  if (const auto& failure = collected.failures[row.run]) {
    json["exit_code"] = failure->code;
    json["message"] = failure->message;
  }
  return json;
}

Json experiment_json(const Plan& plan, const ExperimentFolder& folder, const Collected& collected) {
  Json rows = Json::array();
  for (const PlannedRow& row : plan.rows) rows.push_back(row_json(plan, collected, row));
  return {{"name", plan.experiment.name},
          {"out", folder.path()},
          {"cells", plan.cells.size()},
          {"runs",
           {{"all", plan.runs.size()},
            {"finished", collected.finished()},
            {"failed", collected.failed()}}},
          {"rows", std::move(rows)}};
}

std::string headline(const Plan& plan, const Collected& collected) {
  return fmt::format("{}: {} cells, {} rows, {} runs ({} finished)", plan.experiment.name,
                     plan.cells.size(), plan.rows.size(), plan.runs.size(), collected.finished());
}

// Each shard trains the beginnings that it needs, for they may start at the same moment.
ExperimentFolder shared_folder(const ExperimentFolder& folder, const Shard& shard) {
  const std::string name = shard.name();
  return ExperimentFolder(folder.path(), "shared" + (name.empty() ? "" : "." + name));
}

// What is left of our part of the work, in the unit that runs cost.
std::string estimate_text(const Plan& plan, const Collected& collected,
                          const RunnerOptions& options, const ExperimentFolder& shared) {
  double epochs = 0;
  std::set<std::size_t> beginnings;
  std::vector<double> seconds, trained;
  for (const std::size_t i : options.runs) {
    if (collected.results[i]) continue;
    epochs += plan.runs[i].epochs;
    for (const std::size_t b : beginnings_of(plan, plan.runs[i])) {
      if (!shared.is_finished(plan.beginnings[b].hash)) beginnings.insert(b);
    }
  }
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    if (!collected.results[i]) continue;
    if (const auto spent = figure(*collected.results[i], "seconds")) {
      seconds.push_back(*spent);
      trained.push_back(plan.runs[i].epochs);
    }
  }
  for (const std::size_t i : beginnings) epochs += plan.beginnings[i].epochs;
  std::string text = fmt::format("to do: {:g} epochs of training, {} shared beginnings among them",
                                 epochs, beginnings.size());
  const double done = std::accumulate(trained.begin(), trained.end(), 0.0);
  if (done > 0) {
    const double each = std::accumulate(seconds.begin(), seconds.end(), 0.0) / done;
    text +=
        fmt::format("; about {} at {:.1f} s an epoch as in the {} finished runs, {} at once",
                    clock_text(each * epochs / options.jobs), each, seconds.size(), options.jobs);
  }
  return text + "\n";
}

std::string dry_run_text(const Plan& plan, const Collected& collected,
                         const RunnerOptions& options, const ExperimentFolder& shared) {
  std::string text = headline(plan, collected) + "\n";
  for (const PlannedRow& row : plan.rows) {
    text += fmt::format("{}  {:<8}  {:>6g} epochs  {} seed {}\n", plan.runs[row.run].hash,
                        state_of(collected, row.run), plan.runs[row.run].epochs,
                        label(plan.experiment, plan.cells[row.cell]), row.seed);
  }
  for (const std::string& known : null_cells(plan)) text += known + "\n";
  return text + estimate_text(plan, collected, options, shared);
}

// As many at once as there are cores and runs left; where fewer are left, each has several threads.
RunnerOptions runner_options(const ExperimentOptions& options, const Plan& plan,
                             const Collected& collected) {
  RunnerOptions runner{.jobs = 1,
                       .threads = options.threads,
                       .data_dir = options.data_dir,
                       .time_limit = options.time_limit,
                       .runs = runs_of_shard(plan, options.shard)};
  const auto left = std::ranges::count_if(
      runner.runs, [&](std::size_t run) { return !collected.results[run].has_value(); });
  const int most = static_cast<int>(std::clamp<std::ptrdiff_t>(left, 1, 1024));
  runner.jobs = std::min(options.jobs > 0 ? options.jobs : thread_count(), most);
  if (runner.threads == 0 && runner.jobs > 1)
    runner.threads = std::max(1, thread_count() / runner.jobs);
  return runner;
}

// Of the failures among our runs: their exit code where they agree.
int exit_code(const Collected& collected, const std::vector<std::size_t>& runs) {
  int code = 0;
  for (const std::size_t run : runs) {
    const std::optional<Failure>& failure = collected.failures[run];
    if (!failure) continue;
    if (code != 0 && code != failure->code) return static_cast<int>(ExitCode::failed);
    code = failure->code;
  }
  return code;
}

void run_all(const Plan& plan, const Collected& before, const ExperimentFolder& folder,
             const ExperimentOptions& options, Console& console) {
  const RunnerOptions runner_settings = runner_options(options, plan, before);
  const ExperimentFolder beginnings = shared_folder(folder, options.shard);
  Runner runner(plan, folder, beginnings, runner_settings, console);
  double next = monotonic_seconds() + kBetweenTables;
  bool warned = false;
  try {
    runner.run([&] {
      const double start = monotonic_seconds();
      if (start < next) return;
      try_tables(plan, folder, console, warned);
      const double end = monotonic_seconds();
      next = end + std::max(kBetweenTables, kTimesTheirOwn * (end - start));
    });
  } catch (const Stopped&) {
    try_tables(plan, folder, console, warned);
    console.say("stopped; the same command goes on where this one ended");
    throw;
  }
  write_tables(plan, folder);
  if (runner.unrecorded() > 0) {
    throw FailedError(fmt::format(
        "'{}': {} runs failed, and that could not be written there; the same command tries them "
        "again",
        folder.path(), runner.unrecorded()));
  }
}

// Before anything is taken from elsewhere: all of it is on the same images as what is here.
void require_same_images(const Plan& plan, const ExperimentFolder& folder,
                         const std::vector<std::string>& from) {
  if (plan.smoke) return;
  std::vector<std::string> paths = {folder.path()};
  paths.insert(paths.end(), from.begin(), from.end());
  SameImages images;
  for (const std::string& path : paths) {
    const ExperimentFolder one(path);
    for (const PlannedRun& run : plan.runs) {
      if (const auto result = one.result(run.hash)) images.add(run, *result, one.run(run.hash));
    }
  }
}

// --collect: finished runs from elsewhere that are not finished here.
void take_finished(const Plan& plan, const ExperimentFolder& folder,
                   const std::vector<std::string>& from, Console& console) {
  require_same_images(plan, folder, from);
  for (const std::string& path : from) {
    const ExperimentFolder other(path);
    std::size_t taken = 0;
    for (const PlannedRun& run : plan.runs) {
      if (folder.is_finished(run.hash) || !other.is_finished(run.hash)) continue;
      const std::string left = folder.adopt(run.hash, other);
      if (!left.empty()) console.warn(left + "; it is not taken");
      taken += left.empty() ? 1 : 0;
    }
    console.say(fmt::format("{}: {} runs taken", path, taken));
  }
}

int show_results(const Plan& plan, const ExperimentFolder& folder, const ExperimentOptions& options,
                 Console& console) {
  const Collected after = collect(plan, folder);
  if (options.json) print(config::pretty(experiment_json(plan, folder, after)));
  console.say(fmt::format("{} of {} runs finished; the tables are in {}", after.finished(),
                          plan.runs.size(), folder.file("results.md")));
  return exit_code(after, runs_of_shard(plan, options.shard));
}

// Smoke runs have tables of their own.
std::string default_folder(const Plan& plan) {
  return "runs/" + plan.experiment.name + (plan.smoke ? ".smoke" : "");
}

}  // namespace

int run_experiment(const ExperimentOptions& options, Console& console) {
  const Plan plan = make_plan(load_experiment_config(options.config), options.sets, options.smoke);
  const ExperimentFolder folder(options.out.empty() ? default_folder(plan) : options.out);
  if (options.emit_slurm) {
    print(slurm_script(plan, options));
    return 0;
  }
  const Collected before = collect(plan, folder);
  if (options.dry_run) {
    print(options.json ? config::pretty(experiment_json(plan, folder, before))
                       : dry_run_text(plan, before, runner_options(options, plan, before),
                                      shared_folder(folder, options.shard)));
    return 0;
  }
  const ExperimentLock lock(folder, options.shard.name());
  remove_orphans(folder, options.shard);
  if (!options.collect.empty()) {
    take_finished(plan, folder, options.collect, console);
    write_tables(plan, folder);
    return show_results(plan, folder, options, console);
  }
  require_same_data(plan, before, runs_of_shard(plan, options.shard), folder, options.data_dir);
  console.say(headline(plan, before) + "; writing " + folder.path() + "/");
  for (const std::string& known : null_cells(plan)) console.say(known);
  run_all(plan, before, folder, options, console);
  return show_results(plan, folder, options, console);
}

}  // namespace pare
