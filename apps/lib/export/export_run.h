// `export`: a model in another form, verified against the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/lib/console.h"

namespace pare {

struct ExportOptions {
  std::string model;  // a model.pare, or the run folder that holds one
  std::string format;
  std::string out;
  std::string io = "int8";
  std::int64_t verify = 1000;  // images
  std::string dataset, data_dir;
  bool samples = false;  // write what it was verified with, too
  bool json = false;
};

// Nothing where --help was asked for and printed. Throws ConfigError.
std::optional<ExportOptions> parse_export_options(int argc, const char* const* argv);

// Writes the files and prints sizes and verification. Throws an Error: VerificationError where the
// export does not give the engine's codes.
void export_run(const ExportOptions& options, Console& console);

}  // namespace pare
