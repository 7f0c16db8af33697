// The header of NumPy's .npy files (numpy.lib.format, versions 1.0, 2.0 and 3.0): element type,
// order and shape, written as a Python dictionary.
//
// Only what numpy.save writes for plain arrays is understood: the three keys, no structured types,
// no code. The text is parsed, never evaluated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/data_file.h"

namespace pare {

struct NpyHeader {
  std::string type;  // as written: "|u1", "<f4"; the first character is the byte order
  std::vector<std::int64_t> extents;

  // Product of the extents.
  std::uint64_t count() const;
  std::string shape() const;  // "[60000, 28, 28]"
};

// Leaves the file at its first value. Throws DataError that says what was expected, what came and
// what to try; for Fortran order too, and for arrays of more than 2^31 values.
NpyHeader read_npy_header(DataFile& file);

}  // namespace pare
