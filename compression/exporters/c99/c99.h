// An integer program as C: NAME.h, NAME.c and NAME_selftest.c, for devices without an operating
// system.
//
// The code is C99 and C++, includes stdint.h, stddef.h and string.h only, allocates nothing and
// contains no floating point. It gives the engine's codes, bit for bit, with any compiler; the self
// test carries images and the codes that must come out. docs/export.md shows it in use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compression/exporters/c99/model.h"
#include "compression/integer/program.h"

namespace pare {

struct C99Options {
  std::string name;    // a C identifier; "": made of the program's name
  bool bytes = false;  // input and output are uint8 (code + 128) and not int8
};

// What the self test holds: `count` images, which are pixels where the program has a table of them,
// codes (as bytes) elsewhere; `outputs` the engine's int8 codes for them.
struct C99Golden {
  std::size_t count = 0;  // at least 1
  std::span<const std::uint8_t> images;
  std::span<const std::int8_t> outputs;
};

struct C99Export {
  std::string name;
  std::string header, source, selftest;
  std::vector<C99Size> layers;
  std::int64_t pixel_table = 0, arena = 0;  // bytes
  std::int64_t tables() const;              // bytes of all tables
};

C99Export export_c99(const integer::Program& program, const C99Golden& golden,
                     const C99Options& options);

// The sizes as a table, for people and for the header's comment.
std::string size_report(const C99Export& result);

}  // namespace pare
