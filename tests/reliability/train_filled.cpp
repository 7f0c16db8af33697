// `train` with step memory that is filled with a byte whenever it is handed out: a result that
// depends on memory nobody wrote shows as another result.
//
//   train_filled BYTE [arguments of train]
#include <cstdlib>

#include "apps/lib/command_line.h"
#include "apps/lib/train_run.h"
#include "framework/base/error.h"
#include "framework/tensor/storage.h"

int main(int argc, char** argv) {
  return pare::run_main([&] {
    if (argc < 2) throw pare::ConfigError("usage: train_filled BYTE [arguments of train]");
    pare::set_memory_fill(std::atoi(argv[1]));
    const auto options = pare::parse_train_options(argc - 1, argv + 1);
    if (!options) return 0;
    pare::Console console(options->level);
    pare::train_run(*options, console);
    return 0;
  });
}
