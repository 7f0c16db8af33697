// The command line of `experiment`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/console.h"

namespace pare {

struct ExperimentOptions {
  std::string config;
  std::string out;                // "": runs/<name>
  std::vector<std::string> sets;  // of the base config
  int jobs = 0;                   // 0: the cores of this process
  int threads = 0;                // of each run; 0: one, or all cores where runs come one by one
  bool dry_run = false;
  bool smoke = false;
  bool json = false;
  std::optional<double> time_limit;  // seconds
  std::string data_dir;
  Console::Level level = Console::Level::normal;
};

// Nothing where --help was asked for and printed. Throws ConfigError.
std::optional<ExperimentOptions> parse_experiment_options(int argc, const char* const* argv);

}  // namespace pare
