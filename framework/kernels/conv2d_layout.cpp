#include "framework/kernels/conv2d_layout.h"

#include "framework/base/parallel.h"
#include "framework/kernels/padding.h"

namespace pare {

ImageView view_input(const ConvShape& s, const float* x, const PixelBlock& block,
                     std::vector<float>& padded) {
  const Window& w = s.window;
  if (!w.padded()) {
    const std::int64_t row_stride = s.width * s.channels;
    const std::int64_t row = block.first_image * s.height + block.first_row * w.stride_h;
    return {x + row * row_stride, s.image_size(), row_stride};
  }
  const std::int64_t rows = (block.rows - 1) * w.stride_h + w.kernel_h;
  const std::int64_t columns = (s.out_w() - 1) * w.stride_w + w.kernel_w;
  const std::int64_t image_stride = rows * columns * s.channels;
  padded.resize(static_cast<std::size_t>(block.images * image_stride));
  for (std::int64_t i = 0; i < block.images; ++i) {
    copy_padded(x + (block.first_image + i) * s.image_size(), s.height, s.width, s.channels,
                block.first_row * w.stride_h - w.pad_top, rows, -w.pad_left, columns,
                padded.data() + i * image_stride);
  }
  return {padded.data(), image_stride, columns * s.channels};
}

void list_pixels(const ConvShape& s, const ImageView& view, const PixelBlock& block,
                 std::vector<const float*>& pixels) {
  const std::int64_t row_step = s.window.stride_h * view.row_stride;
  const std::int64_t column_step = s.window.stride_w * s.channels;
  pixels.clear();
  for (std::int64_t i = 0; i < block.images; ++i) {
    for (std::int64_t y = 0; y < block.rows; ++y) {
      const float* row = view.data + i * view.image_stride + y * row_step;
      for (std::int64_t x = 0; x < s.out_w(); ++x) pixels.push_back(row + x * column_step);
    }
  }
}

TapSegments::TapSegments(const ConvShape& s, const ImageView& view) {
  const std::int64_t per_row = s.groups == 1 ? 1 : s.window.kernel_w;
  length = s.groups == 1 ? s.window.kernel_w * s.channels : s.group_channels();
  for (std::int64_t i = 0; i < s.window.kernel_h; ++i) {
    for (std::int64_t j = 0; j < per_row; ++j) {
      offsets.push_back(i * view.row_stride + j * s.channels);
    }
  }
}

void transpose(const float* in, std::int64_t rows, std::int64_t columns, float* out) {
  parallel_tiles(columns, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = begin; j < end; ++j) out[j * rows + i] = in[i * columns + j];
    }
  });
}

}  // namespace pare
