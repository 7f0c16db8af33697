// How much memory a piece of code asks for, in all threads: the test program's operator new counts
// (meter.cpp). What C libraries take with malloc (zlib's 40 kB) is not in it, unless a sanitizer's
// hooks count.
#pragma once

#include <cstdint>

namespace pare::test {

struct Allocations {
  std::uint64_t largest = 0;  // bytes of one allocation
  std::uint64_t peak = 0;     // bytes at once, beyond those that were there before
  std::uint64_t count = 0;    // how often
};

void start_meter();
// Since start_meter.
Allocations read_meter();

}  // namespace pare::test
