// A file's bytes, decompressed where it is gzip. An own small reader: infer links zlib and the
// integer engine, not the data sets of training.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pare::infer {

// Told by the first two bytes. Throws DataError: missing, damaged, cut off, or more than 2 GiB when
// unpacked.
std::vector<std::byte> read_inflated(const std::string& path);

}  // namespace pare::infer
