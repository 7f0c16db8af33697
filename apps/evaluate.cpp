// `evaluate`: float, fake-quantized and integer accuracy side by side. All of it is in
// apps/lib/evaluate_run.h.
#include "apps/lib/command_line.h"
#include "apps/lib/evaluate_run.h"

int main(int argc, char** argv) {
  return pare::run_main([&] {
    const auto options = pare::parse_evaluate_options(argc, argv);
    if (!options) return 0;
    pare::Console console;
    pare::evaluate_run(*options, console);
    return 0;
  });
}
