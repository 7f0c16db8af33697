#include "apps/lib/experiment/experiment_options.h"

#include <cstdio>

#include "apps/lib/command_line.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr const char* kDescription =
    "Many runs from one config: every combination of the axes, once with each seed. Runs are "
    "processes;\nwhat is finished is never run again, so the same command goes on after a stop.";

constexpr const char* kFooter = R"(
Examples:
  ./pare experiment --config bits_and_sparsity.json --smoke     the whole grid, in seconds
  ./pare experiment --config bits_and_sparsity.json --dry-run   what would be run
  ./pare experiment --config bits_and_sparsity.json             run it, or go on with it
  ./pare experiment --config bits_and_sparsity.json --time-limit 4500    in slices
  ./pare experiment --config bits_and_sparsity.json --emit-slurm > job.sh    on a cluster

Writes results.csv, timing.csv, results.md, results.tex, index.html and one folder a run,
runs/<hash>/, into --out.

Exit codes: 0 every run finished; 2 command line or config; 130 and 143 stopped by a signal (143
also by --time-limit) after the runs at work have saved; otherwise that of the runs that failed (1
where they differ): the others are finished, and the same command tries the failed ones again.)";

void add_options(CLI::App& app, ExperimentOptions& o) {
  app.add_option("--config", o.config, "the experiment's JSON file; also looked for in configs/")
      ->type_name("FILE")
      ->required();
  app.add_option("--out", o.out, "folder of the experiment; default runs/<name>")->type_name("DIR");
  app.add_option("--jobs", o.jobs, "runs at once; default: the cores of this process")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option(
         "--threads", o.threads,
         "of each run; default: the cores over the runs at once; results do not depend on it")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--set", o.sets, "change a key of the base config (axes win)")
      ->type_name("PATH=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--dry-run", o.dry_run, "list the runs, and what is finished, and stop");
  app.add_flag("--smoke", o.smoke, "every run with --smoke: a try of the whole, in seconds");
  app.add_option("--time-limit", o.time_limit,
                 "stop after so many seconds as SIGTERM would; the same command goes on")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  CLI::Option* slurm = app.add_flag("--emit-slurm", o.emit_slurm,
                                    "print a SLURM script, a job array with one shard a task");
  app.add_option("--tasks", o.tasks, "of the job array; default: as many as seeds")
      ->type_name("N")
      ->needs(slurm)
      ->check(CLI::Range(1, 100'000));
  app.add_option("--collect", o.collect,
                 "take finished runs from these experiments' folders, make the tables, and stop")
      ->type_name("DIR");
  app.add_option("--data-dir", o.data_dir, "where data are looked for first")->type_name("DIR");
  app.add_flag("--json", o.json, "print the plan and the results on stdout");
  CLI::Option* quiet = app.add_flag_callback(
      "-q", [&o] { o.level = Console::Level::quiet; }, "warnings and errors only");
  app.add_flag_callback(
         "-v", [&o] { o.level = Console::Level::verbose; }, "more messages")
      ->excludes(quiet);
}

// "I/N".
Shard parse_shard(const std::string& text) {
  Shard shard;
  int read = 0;
  const bool fits = std::sscanf(text.c_str(), "%d/%d%n", &shard.index, &shard.count, &read) == 2 &&
                    read == static_cast<int>(text.size());
  if (!fits || shard.index < 1 || shard.count > 100'000 || shard.index > shard.count)
    throw ConfigError("--shard: expected I/N with I from 1 to N, got '" + text + "'");
  return shard;
}

}  // namespace

std::string Shard::name() const {
  return count > 1 ? std::to_string(index) + "-of-" + std::to_string(count) : "";
}

std::optional<ExperimentOptions> parse_experiment_options(int argc, const char* const* argv) {
  ExperimentOptions options;
  CLI::App app(kDescription, "./pare experiment");
  app.footer(kFooter);
  add_options(app, options);
  std::string shard;
  app.add_option("--shard", shard, "do part I of N of the runs")->type_name("I/N");
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  if (!shard.empty()) options.shard = parse_shard(shard);
  return options;
}

}  // namespace pare
