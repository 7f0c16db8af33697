// replay TARGET FILE...: runs a target over files, without libFuzzer. Prints how many there were.
#include <cstdio>
#include <string>

#include "framework/base/file.h"
#include "tests/fuzz/targets.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: replay TARGET FILE...\n");
    return 2;
  }
  for (const pare::fuzz::Target& target : pare::fuzz::kTargets) {
    if (target.name != argv[1]) continue;
    for (int i = 2; i < argc; ++i) target.run(pare::read_file(argv[i], 1 << 24));
    std::printf("%s: %d inputs\n", argv[1], argc - 2);
    return 0;
  }
  std::fprintf(stderr, "replay: there is no target '%s'\n", argv[1]);
  return 2;
}
