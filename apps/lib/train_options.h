// The command line of `train`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/console.h"

namespace pare {

struct TrainOptions {
  std::string config;  // "" where none was named
  std::string out;     // "": runs/<name>
  std::vector<std::string> sets;
  bool resume = false;
  bool overwrite = false;
  bool smoke = false;
  std::string init_from;    // "": weights are drawn
  std::string branch_from;  // a run with the same beginning; "": none
  bool plan = false;
  std::string target;  // of --plan; "": none
  bool print_config = false;
  bool json = false;
  int threads = 0;                   // 0: the cores of this process
  std::optional<double> time_limit;  // seconds
  std::string data_dir;
  Console::Level level = Console::Level::normal;
};

// Nothing where --help was asked for and printed. Throws ConfigError: an option that does not exist
// (with the nearest one), a value that is none.
std::optional<TrainOptions> parse_train_options(int argc, const char* const* argv);

// The command that gives the same run again: the options that decide its results. Folders,
// threads and what is printed are left away; a run that was resumed without its config is repeated
// from the one in its folder.
std::string command_of(const TrainOptions& options);

}  // namespace pare
