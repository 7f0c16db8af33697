#include "apps/lib/experiment/experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/experiment/collect.h"
#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/markdown.h"
#include "apps/lib/experiment/runner.h"
#include "apps/lib/progress.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/parallel.h"
#include "framework/base/program.h"

namespace pare {
namespace {

using config::Json;

// Tables are made of everything each time; while runs end quickly, not after every one of them.
constexpr double kBetweenTables = 5;  // seconds

void write_tables(const Plan& plan, const ExperimentFolder& folder) {
  const Collected collected = collect(plan, folder);
  write_file_atomically(folder.file("results.csv"), results_csv(plan, collected));
  write_file_atomically(folder.file("timing.csv"), timing_csv(plan, collected));
  write_file_atomically(folder.file("results.md"), results_markdown(plan, collected));
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

std::string dry_run_text(const Plan& plan, const Collected& collected) {
  std::string text = headline(plan, collected) + "\n";
  for (const PlannedRow& row : plan.rows) {
    text += fmt::format("{}  {:<8}  {:>6g} epochs  {} seed {}\n", plan.runs[row.run].hash,
                        state_of(collected, row.run), plan.runs[row.run].epochs,
                        label(plan.experiment, plan.cells[row.cell]), row.seed);
  }
  return text;
}

RunnerOptions runner_options(const ExperimentOptions& options, const Plan& plan) {
  const int most = static_cast<int>(std::min<std::size_t>(plan.runs.size(), 1024));
  RunnerOptions runner{.jobs = std::min(options.jobs > 0 ? options.jobs : thread_count(), most),
                       .threads = options.threads,
                       .time_limit = options.time_limit,
                       .data_dir = options.data_dir};
  if (runner.threads == 0 && runner.jobs > 1) runner.threads = 1;
  return runner;
}

// Of the failures: their exit code where they agree.
int exit_code(const Collected& collected) {
  int code = 0;
  for (const auto& failure : collected.failures) {
    if (!failure) continue;
    if (code != 0 && code != failure->code) return static_cast<int>(ExitCode::failed);
    code = failure->code;
  }
  return code;
}

void run_all(const Plan& plan, const ExperimentFolder& folder, const ExperimentOptions& options,
             Console& console) {
  const RunnerOptions runner_settings = runner_options(options, plan);
  Runner runner(plan, folder, runner_settings, console);
  double written = monotonic_seconds();
  try {
    runner.run([&] {
      if (monotonic_seconds() - written < kBetweenTables) return;
      write_tables(plan, folder);
      written = monotonic_seconds();
    });
  } catch (const Stopped&) {
    write_tables(plan, folder);
    console.say("stopped; the same command goes on where this one ended");
    throw;
  }
  write_tables(plan, folder);
}

}  // namespace

int run_experiment(const ExperimentOptions& options, Console& console) {
  const Plan plan = make_plan(load_experiment_config(options.config), options.sets, options.smoke);
  const ExperimentFolder folder(options.out.empty() ? "runs/" + plan.experiment.name : options.out);
  const Collected before = collect(plan, folder);
  if (options.dry_run) {
    print(options.json ? config::pretty(experiment_json(plan, folder, before))
                       : dry_run_text(plan, before));
    return 0;
  }
  const ExperimentLock lock(folder, "");
  console.say(headline(plan, before) + "; writing " + folder.path() + "/");
  run_all(plan, folder, options, console);

  const Collected after = collect(plan, folder);
  if (options.json) print(config::pretty(experiment_json(plan, folder, after)));
  console.say(fmt::format("{} of {} runs finished; the tables are in {}", after.finished(),
                          plan.runs.size(), folder.file("results.md")));
  return exit_code(after);
}

}  // namespace pare
