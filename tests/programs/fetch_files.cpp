// `fetch` with a data set of the caller's own, so that a test can serve small files:
//   fetch_files TO KIND MIRROR,MIRROR NAME BYTES SHA256 [MEMBER BYTES]...
#include <cstdio>
#include <string>

#include "apps/lib/fetch/fetch.h"
#include "framework/base/error.h"

namespace {

pare::RemoteSet set_of(int argc, char** argv) {
  pare::RemoteSet set{argv[2], {}, {{argv[4], std::stoull(argv[5]), argv[6]}}, {}};
  const std::string mirrors = argv[3];
  for (std::size_t begin = 0; begin < mirrors.size();) {
    const std::size_t end = std::min(mirrors.find(',', begin), mirrors.size());
    set.mirrors.push_back(mirrors.substr(begin, end - begin));
    begin = end + 1;
  }
  for (int i = 7; i + 1 < argc; i += 2) set.members.push_back({argv[i], std::stoull(argv[i + 1])});
  return set;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) return 2;
  try {
    pare::Console console;
    pare::fetch(set_of(argc, argv), argv[1], console);
  } catch (const pare::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
