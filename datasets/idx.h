// IDX, the format of MNIST and its relatives (yann.lecun.com/exdb/mnist): a big-endian magic number
// 0x00 00 <type> <rank>, one 32-bit extent per axis, then the values. Only type 0x08, unsigned
// bytes, plain or gzip-compressed.
//
// A file is believed only where its size is exactly 4 + 4 * rank + product of the extents. No
// buffer is larger than what the bytes on disk can fill.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace pare {

struct IdxArray {
  std::vector<std::int64_t> extents;  // 1 to 4 of them
  std::vector<std::uint8_t> values;
};

// Throws DataError that names the file, what was expected, what came and what to try.
IdxArray read_idx(const std::string& path);

// Images of rank 3 [n, h, w] or 4 [n, h, w, c] with their labels, of rank 1 [n]. The counts must be
// equal and above zero, and every label below `classes` (0: not checked).
Images read_idx_images(const std::string& images_path, const std::string& labels_path, int classes);

}  // namespace pare
