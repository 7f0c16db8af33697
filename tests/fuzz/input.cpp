#include "tests/fuzz/input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace pare::fuzz {

std::pair<std::uint8_t, Bytes> choice(Bytes bytes) {
  if (bytes.empty()) return {0, bytes};
  return {static_cast<std::uint8_t>(bytes[0]), bytes.subspan(1)};
}

std::pair<Bytes, Bytes> two_files(Bytes bytes) {
  if (bytes.size() < 2) return {bytes, {}};
  const std::size_t wanted =
      static_cast<std::size_t>(bytes[0]) | static_cast<std::size_t>(bytes[1]) << 8;
  const Bytes rest = bytes.subspan(2);
  const std::size_t length = std::min(wanted, rest.size());
  return {rest.first(length), rest.subspan(length)};
}

MemoryFile::MemoryFile()
    : file_(::memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_)) {
  require(file_ >= 0);
}

MemoryFile::~MemoryFile() { ::close(file_); }

const std::string& MemoryFile::put(Bytes bytes) {
  require(::ftruncate(file_, 0) == 0);
  require(::pwrite(file_, bytes.data(), bytes.size(), 0) == std::ssize(bytes));
  return path_;
}

}  // namespace pare::fuzz
