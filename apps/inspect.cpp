// `inspect`: what is in a run, config, checkpoint or model. All of it is in apps/lib/inspect/.
#include "apps/lib/command_line.h"
#include "apps/lib/inspect/inspect_run.h"

int main(int argc, char** argv) {
  return pare::run_main([&] {
    const auto options = pare::parse_inspect_options(argc, argv);
    if (!options) return 0;
    pare::inspect_run(*options);
    return 0;
  });
}
