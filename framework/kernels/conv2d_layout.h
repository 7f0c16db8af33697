// What the three convolution kernels share: where the inputs of output pixels lie in memory, with a copy of the image in
// between only where the window reaches over its border. Not for use outside framework/kernels/conv2d_*.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/ops/window.h"

namespace pare {

// Rows of some images in memory, channels contiguous. Strides count floats.
struct ImageView {
  const float* data = nullptr;
  std::int64_t image_stride = 0, row_stride = 0;
};

// Output pixels to work on: rows [first_row, first_row + rows) of images [first_image, first_image + images).
struct PixelBlock {
  std::int64_t first_image, images, first_row, rows;
};

// A view whose first element is the input of the block's first pixel at tap (0, 0): of x itself, or of a copy in `padded`
// with a border of zeros.
ImageView view_input(const ConvShape& s, const float* x, const PixelBlock& block,
                     std::vector<float>& padded);

// The address of tap (0, 0) of every pixel of the block, in the order of y.
void list_pixels(const ConvShape& s, const ImageView& view, const PixelBlock& block,
                 std::vector<const float*>& pixels);

// The inputs of one output pixel: segments of equal length at these offsets from its tap (0, 0).
struct TapSegments {
  TapSegments(const ConvShape& s, const ImageView& view);
  std::vector<std::int64_t> offsets;
  std::int64_t length;
};

// out[j, i] = in[i, j] for in [rows, columns].
void transpose(const float* in, std::int64_t rows, std::int64_t columns, float* out);

}  // namespace pare
