#include "tests/fuzz/limit.h"

#include <cstdio>
#include <cstdlib>

#include "tests/hostile/meter.h"

namespace pare::fuzz {

MemoryLimit::MemoryLimit(const char* what, std::uint64_t bytes) : what_(what), bytes_(bytes) {
  test::start_meter();
}

MemoryLimit::~MemoryLimit() {
  const std::uint64_t peak = test::read_meter().peak;
  if (peak <= bytes_) return;
  std::fprintf(stderr, "%s took %llu bytes at once, expected at most %llu\n", what_,
               static_cast<unsigned long long>(peak), static_cast<unsigned long long>(bytes_));
  std::abort();
}

}  // namespace pare::fuzz
