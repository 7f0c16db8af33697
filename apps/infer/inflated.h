// A file's bytes, decompressed where it is gzip. An own small reader: infer links zlib and the
// integer engine, not the data sets of training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pare::infer {

// How many bytes the whole content has at most, by how it begins (its first 4 kB, or all of it).
using ImpliedSize = std::function<std::uint64_t(const std::vector<std::byte>& start)>;

// Told by the first two bytes. Throws DataError: missing, damaged, cut off, or unpacking to more
// than its own beginning implies.
std::vector<std::byte> read_inflated(const std::string& path, const ImpliedSize& implied_size);

}  // namespace pare::infer
