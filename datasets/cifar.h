// The binary version of CIFAR-10 and CIFAR-100 (cs.toronto.edu/~kriz/cifar.html): records of one or
// two label bytes and 3 x 32 x 32 pixels, plane after plane; plain or gzip-compressed.
//
// Nothing in a file says what it is, so it is held to its size: whole records, and no more of them
// than the official file has.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "datasets/dataset.h"

namespace pare {

struct CifarFormat {
  int label_bytes;  // CIFAR-100 writes the coarse label (0 to 19) before the fine one, which counts
  int classes;
  std::size_t most_records;  // in one file
};

// The records of all files, one after the other, as [32, 32, 3] images. Throws DataError: not whole
// records, none, too many, a label out of range.
Images read_cifar(std::span<const std::string> paths, const CifarFormat& format);

}  // namespace pare
