// `evaluate`: from what the command line names to an Evaluation.
#pragma once

#include <optional>
#include <string>

#include "apps/lib/console.h"

namespace pare {

struct EvaluateOptions {
  std::string subject;         // run folder, checkpoint or model
  std::string split = "test";  // or validation
  std::string dataset;         // of a model alone; "": what the config beside it says
  std::string data_dir;
  int threads = 0;  // 0: the cores of this process
  bool json = false;
};

// Nothing where --help was asked for and printed. Throws ConfigError.
std::optional<EvaluateOptions> parse_evaluate_options(int argc, const char* const* argv);

// Measures and prints. Throws an Error: DataError where the subject is none of the three,
// VerificationError where a run's model.pare is not what its checkpoint lowers to.
void evaluate_run(const EvaluateOptions& options, Console& console);

}  // namespace pare
