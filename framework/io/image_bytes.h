// An Hdf5Image as plain bytes: how it travels from the guarded process that parses HDF5 to ours.
//
// Never on disk. The sender may have been taken over by a hostile file, so the bytes are checked as
// those of a stranger.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "framework/io/hdf5_image.h"

namespace pare {

std::vector<std::byte> image_to_bytes(const Hdf5Image& image);

// Throws DataError that begins with `what`.
Hdf5Image image_from_bytes(std::span<const std::byte> bytes, const std::string& what);

}  // namespace pare
