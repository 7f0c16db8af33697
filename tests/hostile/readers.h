// Every reader of files with a small sample of what it reads: what the hostile tests run over. A new
// reader gets a row in readers.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pare::test {

struct Reader {
  std::string name;
  std::vector<std::byte> sample;
  std::function<void(std::span<const std::byte>)> read;  // throws DataError or ConfigError
  bool sealed = false;    // carries a checksum over everything: any damage is an error
  bool truncates = true;  // every shorter file is an error (a text may still be one)
  bool any_value = false;  // a change can never be told: pixels and labels without a bound
  int stride = 1;         // every n-th place only: a process for each file is slow
  // The most bytes of one allocation: base + factor x file.
  std::uint64_t base = 64 << 10, factor = 4;
};

std::vector<Reader> readers();
const Reader& reader(const std::vector<Reader>& readers, const std::string& name);

}  // namespace pare::test
