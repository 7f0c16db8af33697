// A copy of some rows of an image with a border of zeros, so that convolution kernels need no
// bounds checks: the copy costs one pass over the rows, the convolution many.
#pragma once

#include <cstdint>

namespace pare {

// Copies rows [first, first + rows) and columns [left, left + columns) of the image [height, width,
// channels] to out [rows, columns, channels]; `first` and `left` may be negative, and what lies
// outside the image is zero.
void copy_padded(const float* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                 std::int64_t first, std::int64_t rows, std::int64_t left, std::int64_t columns,
                 float* out);

}  // namespace pare
