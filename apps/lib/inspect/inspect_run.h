// The program `inspect`: its command line, and what it prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pare {

struct InspectOptions {
  std::vector<std::string> subjects;  // one to look into, or two to compare
  bool techniques = false;
  bool tree = false;
  bool json = false;
};

// Nothing where --help was asked for and printed. Throws ConfigError.
std::optional<InspectOptions> parse_inspect_options(int argc, const char* const* argv);

// Throws an Error: DataError where a subject is missing, damaged, or none of those it knows.
void inspect_run(const InspectOptions& options);

}  // namespace pare
