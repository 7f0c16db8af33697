// What the programs share: their command line; run_main and print come along.
#pragma once

#include <CLI/CLI.hpp>

#include "framework/base/program.h"

namespace pare {

// False where --help was asked for and printed. Throws ConfigError: an option that does not exist
// (with the nearest one), a value that is none.
bool parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace pare
