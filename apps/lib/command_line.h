// What the programs share: their command line, and how errors become exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace pare {

// False where --help was asked for and printed. Throws ConfigError: an option that does not exist
// (with the nearest one), a value that is none.
bool parse_command_line(CLI::App& app, int argc, const char* const* argv);

// The exit code of a program: what `run` returns, or the code of the error that it throws, which is
// printed on stderr.
int run_main(const std::function<int()>& run);

// On stdout, at once.
void print(const std::string& text);

}  // namespace pare
