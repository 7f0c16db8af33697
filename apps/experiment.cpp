// `experiment`: many runs from one config. All of it is in apps/lib/experiment; here errors become
// exit codes.
#include "apps/lib/experiment/experiment.h"

#include "apps/lib/signals.h"
#include "apps/lib/trainer.h"
#include "framework/base/program.h"

namespace {

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
  return pare::run_main([&] { return run(argc, argv); });
}
