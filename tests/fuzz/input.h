// What targets share: inputs cut into parts, and files that lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fuzz/targets.h"

namespace pare::fuzz {

// Ends the program where a promise is broken.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The first byte, and what follows it.
std::pair<std::uint8_t, Bytes> choice(Bytes bytes);

// Two files from one input: two bytes say how long the first is (at most what is there).
std::pair<Bytes, Bytes> two_files(Bytes bytes);

// A file in memory, with a path by which it can be opened.
class MemoryFile {
 public:
  MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile();
  const std::string& path() const { return path_; }
  const std::string& put(Bytes bytes);  // replaces what was there

 private:
  int file_;
  std::string path_;
};

}  // namespace pare::fuzz
