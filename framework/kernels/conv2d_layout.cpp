#include "framework/kernels/conv2d_layout.h"

#include "framework/kernels/padding.h"

namespace pare {
namespace {

// Rows and columns of the input that a block of output rows reads.
std::int64_t input_rows(const ConvShape& s, std::int64_t rows) {
  return (rows - 1) * s.window.stride_h + s.window.kernel_h;
}
std::int64_t input_columns(const ConvShape& s) {
  return (s.out_w() - 1) * s.window.stride_w + s.window.kernel_w;
}

// Below this the loop over a segment costs more than its turns.
constexpr std::int64_t kShortestSegment = 16;

}  // namespace

ConvInputs::ConvInputs(const ConvShape& s, std::int64_t images, std::int64_t rows) : shape_(s) {
  const Window& w = s.window;
  row_stride_ = (w.padded() ? input_columns(s) : s.width) * s.channels;
  image_stride_ = w.padded() ? input_rows(s, rows) * row_stride_ : s.image_size();
  for (std::int64_t i = 0; i < images; ++i) {
    for (std::int64_t y = 0; y < rows; ++y) {
      const std::int64_t row = i * image_stride_ + y * w.stride_h * row_stride_;
      for (std::int64_t x = 0; x < s.out_w(); ++x)
        pixels_.push_back(row + x * w.stride_w * s.channels);
    }
  }
  const bool merged = s.groups == 1;  // the taps of a kernel row lie next to each other
  segment_length_ = merged ? w.kernel_w * s.channels : s.group_channels();
  for (std::int64_t i = 0; i < w.kernel_h; ++i) {
    for (std::int64_t j = 0; j < (merged ? 1 : w.kernel_w); ++j) {
      segments_.push_back(i * row_stride_ + j * s.channels);
    }
  }
  if (segment_length_ < kShortestSegment) {
    segments_ = elements();
    segment_length_ = 1;
  }
}

StepVector<std::int64_t> ConvInputs::elements() const {
  StepVector<std::int64_t> offsets;
  for (const std::int64_t segment : segments_) {
    for (std::int64_t k = 0; k < segment_length_; ++k) offsets.push_back(segment + k);
  }
  return offsets;
}

const float* ConvInputs::first(const float* x, const PixelBlock& block,
                               std::vector<float>& padded) const {
  const ConvShape& s = shape_;
  const Window& w = s.window;
  const float* image = x + block.first_image * s.image_size();
  if (!w.padded()) return image + block.first_row * w.stride_h * row_stride_;
  padded.resize(static_cast<std::size_t>(block.images * image_stride_));
  for (std::int64_t i = 0; i < block.images; ++i) {
    copy_padded(image + i * s.image_size(), s.height, s.width, s.channels,
                block.first_row * w.stride_h - w.pad_top, input_rows(s, block.rows), -w.pad_left,
                input_columns(s), padded.data() + i * image_stride_);
  }
  return padded.data();
}

}  // namespace pare
