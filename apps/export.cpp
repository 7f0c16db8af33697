// `export`: an integer model as C99 and other forms. All of it is in apps/lib/export/.
#include "apps/lib/command_line.h"
#include "apps/lib/export/export_run.h"

int main(int argc, char** argv) {
  return pare::run_main([&] {
    const auto options = pare::parse_export_options(argc, argv);
    if (!options) return 0;
    pare::Console console;
    pare::export_run(*options, console);
    return 0;
  });
}
