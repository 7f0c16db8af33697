#include "apps/lib/experiment/experiment_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "framework/base/error.h"
#include "framework/base/text.h"

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

Writes results.csv, timing.csv, results.md and one folder a run, runs/<hash>/, into --out.

Exit codes: 0 every run finished; 2 command line or config; 130 and 143 stopped by a signal after
the runs at work have saved; otherwise that of the runs that failed (1 where they differ): the
others are finished, and the same command tries the failed ones again.)";

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
         "of each run; default: one, or all cores with --jobs 1; results do not depend on it")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--set", o.sets, "change a key of the base config (axes win)")
      ->type_name("PATH=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--dry-run", o.dry_run, "list the runs, and what is finished, and stop");
  app.add_flag("--smoke", o.smoke, "every run with --smoke: a try of the whole, in seconds");
  app.add_option("--time-limit", o.time_limit,
                 "stop after so many seconds as SIGTERM would: the runs at work save, the same "
                 "command goes on")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  app.add_option("--data-dir", o.data_dir, "where data are looked for first")->type_name("DIR");
  app.add_flag("--json", o.json, "print the plan and the results on stdout");
  CLI::Option* quiet = app.add_flag_callback(
      "-q", [&o] { o.level = Console::Level::quiet; }, "warnings and errors only");
  app.add_flag_callback(
         "-v", [&o] { o.level = Console::Level::verbose; }, "more messages")
      ->excludes(quiet);
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const std::string& word : app.remaining()) {
    return "unknown argument '" + word + "'" + suggestion(word.substr(0, word.find('=')), names) +
           "; see ./pare experiment --help";
  }
  return std::string(error.what()) + "; see ./pare experiment --help";
}

}  // namespace

std::optional<ExperimentOptions> parse_experiment_options(int argc, const char* const* argv) {
  ExperimentOptions options;
  CLI::App app(kDescription, "./pare experiment");
  app.footer(kFooter);
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(usage_message(app, error));
  }
  return options;
}

}  // namespace pare
