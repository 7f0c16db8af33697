// `train`: one run from its config to verified integers. All of it is in apps/lib; here errors
// become exit codes.
#include <cstdio>
#include <exception>
#include <new>

#include "apps/lib/signals.h"
#include "apps/lib/train_run.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"

namespace {

int failed(pare::ExitCode code, const char* kind, const char* message) {
  std::fprintf(stderr, "%s: %s\n", kind, message);
  return static_cast<int>(code);
}

int run(int argc, char** argv) {
  const auto options = pare::parse_train_options(argc, argv);
  if (!options) return 0;
  pare::Console console(options->level);
  pare::catch_signals();
  try {
    pare::train_run(*options, console);
  } catch (const pare::Stopped& stopped) {
    return 128 + stopped.signal;
  } catch (const pare::Error& error) {  // here, so that it is in the run's log too
    console.status("");
    console.error(error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const pare::Error& error) {
    return failed(error.code(), "error", error.what());
  } catch (const std::bad_alloc&) {
    return failed(pare::ExitCode::failed, "error",
                  "out of memory; try a smaller dataset.batch_size");
  } catch (const std::exception& error) {
    return failed(pare::ExitCode::failed, "internal error", error.what());
  }
}
