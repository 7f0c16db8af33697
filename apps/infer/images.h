// Images from a file: IDX (plain or gzip), PGM and PPM (binary, 8 bits), CIFAR's binary records.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pare::infer {

struct ImageFile {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  // images x height x width x channels
  std::vector<std::int32_t> labels;  // what the file itself says (CIFAR), or empty
  std::int64_t count() const;
};

// The format is told by the first bytes; anything else is CIFAR where its size fits. Throws
// DataError that names the file and what was expected.
ImageFile read_images(const std::string& path);

// IDX of rank 1. Throws DataError.
std::vector<std::int32_t> read_labels(const std::string& path);

}  // namespace pare::infer
