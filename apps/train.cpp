// `train`: one run from its config to verified integers. All of it is in apps/lib; here errors
// become exit codes.
#include "apps/lib/command_line.h"
#include "apps/lib/train_run.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"

namespace {

int run(int argc, char** argv) {
  const auto options = pare::parse_train_options(argc, argv);
  if (!options) return 0;
  pare::Console console(options->level);
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
  return pare::run_main([&] { return run(argc, argv); });
}
