// `example`: the worked example of document 000, section 4.3, computed (docs/tutorial.md, part 1).
#include <cstdio>
#include <exception>

#include "apps/lib/example/print.h"

int main(int argc, char**) {
  try {
    const std::string text =
        argc > 1 ? "example: prints the worked example of docs/tutorial.md; it takes no arguments\n"
                 : pare::example::report();
    std::fputs(text.c_str(), stdout);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "internal error: %s\n", error.what());
    return 1;
  }
  return 0;
}
