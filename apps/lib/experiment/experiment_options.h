// The command line of `experiment`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/console.h"

namespace pare {

// Part `index` of `count`, from 1.
struct Shard {
  int index = 1, count = 1;
  // "3-of-8", or "" where there is one.
  std::string name() const;
};

struct ExperimentOptions {
  std::string config;
  std::string out;                // "": runs/<name>
  std::vector<std::string> sets;  // of the base config
  int jobs = 0;                   // 0: the cores of this process
  int threads = 0;                // of each run; 0: one, or all cores where runs come one by one
  bool dry_run = false;
  bool smoke = false;
  bool json = false;
  Shard shard;
  bool emit_slurm = false;           // print a job array and stop
  int tasks = 0;                     // of the job array; 0: as many as seeds
  std::vector<std::string> collect;  // folders of other experiments to take finished runs from
  std::optional<double> time_limit;  // seconds
  std::string data_dir;
  Console::Level level = Console::Level::normal;
};

// Nothing where --help was asked for and printed. Throws ConfigError.
std::optional<ExperimentOptions> parse_experiment_options(int argc, const char* const* argv);

}  // namespace pare
