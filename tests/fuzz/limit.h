// A bound on the memory that the code in a scope has at once, beyond what was there before; in its
// own process, so that the guarded one of HDF5 is bounded by its own limit alone. Scopes do not
// nest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datasets/gzip.h"

namespace pare::fuzz {

class MemoryLimit {
 public:
  // `what` is done there, for the message.
  MemoryLimit(const char* what, std::uint64_t bytes);
  MemoryLimit(const MemoryLimit&) = delete;
  // Ends the program where it was more.
  ~MemoryLimit();

 private:
  const char* what_;
  std::uint64_t bytes_;
};

// What zlib and the library's streams take, whatever the file; two files are open at once.
inline constexpr std::uint64_t kStreams = 128 << 10;
// What a text takes in messages and for the values of a small file.
inline constexpr std::uint64_t kTexts = 128 << 10;

// The most that a file holds: a deflate stream grows at most 1032 times.
inline std::uint64_t content_of(std::span<const std::byte> file) {
  return is_gzip(file) ? 1032 * file.size() : file.size();
}

}  // namespace pare::fuzz
