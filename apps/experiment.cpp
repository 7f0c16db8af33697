// `experiment`: many runs from one config. All of it is in apps/lib/experiment; here errors become
// exit codes.
#include "apps/lib/experiment/experiment.h"

#include <cstdio>
#include <exception>
#include <new>

#include "apps/lib/signals.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"

namespace {

int failed(pare::ExitCode code, const char* kind, const char* message) {
  std::fprintf(stderr, "%s: %s\n", kind, message);
  return static_cast<int>(code);
}

int run(int argc, char** argv) {
  const auto options = pare::parse_experiment_options(argc, argv);
  if (!options) return 0;
  pare::Console console(options->level);
  pare::catch_signals();
  try {
    return pare::run_experiment(*options, console);
  } catch (const pare::Stopped& stopped) {
    return 128 + stopped.signal;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const pare::Error& error) {
    return failed(error.code(), "error", error.what());
  } catch (const std::bad_alloc&) {
    return failed(pare::ExitCode::failed, "error", "out of memory");
  } catch (const std::exception& error) {
    return failed(pare::ExitCode::failed, "internal error", error.what());
  }
}
