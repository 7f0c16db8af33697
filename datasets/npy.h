// Images and labels from NumPy's .npy files, plain or gzip-compressed: what
// numpy.save("x_train.npy", x) writes.
//
// Images are [n, height, width] or [n, height, width, channels], uint8 or float32; labels [n],
// uint8, int32 or int64. C order, little-endian. Floats are taken as they are.
#pragma once

#include <string>

#include "datasets/dataset.h"

namespace pare {

// Throws DataError: another type or shape, counts that differ, no images, a label that is negative
// or not below kMostClasses, a float that is not finite.
Images read_npy_images(const std::string& images_path, const std::string& labels_path);

}  // namespace pare
