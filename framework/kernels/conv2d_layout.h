// What the forward and weight-gradient kernels of conv2d share: where the inputs of output pixels
// lie in memory, with a copy of the image in between only where the window reaches over its border.
// Not for use outside framework/kernels/conv2d_*.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/ops/window.h"
#include "framework/tensor/step_vector.h"

namespace pare {

// Output pixels to work on: rows [first_row, first_row + rows) of images [first_image, first_image
// + images).
struct PixelBlock {
  std::int64_t first_image, images, first_row, rows;
  std::int64_t pixels(const ConvShape& s) const { return images * rows * s.out_w(); }
};

// The addresses of a block's inputs, as offsets from the input of its first pixel at tap (0, 0);
// offsets count floats. They are the same for all blocks of one size, and a smaller block (fewer
// images, or fewer rows of one image) uses the first ones.
class ConvInputs {
 public:
  ConvInputs(const ConvShape& shape, std::int64_t images, std::int64_t rows);

  // Tap (0, 0) of every pixel, in the order of y.
  const StepVector<std::int64_t>& pixels() const { return pixels_; }
  // From a pixel's tap (0, 0) to its inputs of group 0: contiguous segments of segment_length()
  // floats each; where they would be short, single floats.
  const StepVector<std::int64_t>& segments() const { return segments_; }
  std::int64_t segment_length() const { return segment_length_; }
  // The same for every single input: as many as a filter has elements.
  StepVector<std::int64_t> elements() const;

  // Tap (0, 0) of the block's first pixel: in x itself, or in a copy with a border of zeros that
  // lives in `padded`.
  const float* first(const float* x, const PixelBlock& block, std::vector<float>& padded) const;

 private:
  ConvShape shape_;
  std::int64_t row_stride_, image_stride_;
  StepVector<std::int64_t> pixels_, segments_;
  std::int64_t segment_length_;
};

}  // namespace pare
