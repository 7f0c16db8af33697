// Window and ConvShape: the geometry of convolutions and pools, shared by ops, kernels and
// reference kernels.
//
// Plain numbers and what follows from them; whether they fit an image is checked by the ops.
#pragma once

#include <cstdint>

namespace pare {

// A sliding window over an image; taps outside the image count as zero (conv) or are left out
// (pools).
struct Window {
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  // (extent + pads - kernel) / stride + 1; below 1 where the window does not fit.
  std::int64_t out_h(std::int64_t h) const {
    return (h + pad_top + pad_bottom - kernel_h) / stride_h + 1;
  }
  std::int64_t out_w(std::int64_t w) const {
    return (w + pad_left + pad_right - kernel_w) / stride_w + 1;
  }
  std::int64_t taps() const { return kernel_h * kernel_w; }
  bool padded() const { return pad_top > 0 || pad_left > 0 || pad_bottom > 0 || pad_right > 0; }
};

// A window over a batch of images: x [batch, height, width, channels] -> [batch, out_h, out_w,
// ...].
struct ImageShape {
  std::int64_t batch = 1, height = 1, width = 1, channels = 1;
  Window window;
  std::int64_t out_h() const { return window.out_h(height); }
  std::int64_t out_w() const { return window.out_w(width); }
  std::int64_t out_pixels() const { return out_h() * out_w(); }  // of one image
  std::int64_t image_size() const { return height * width * channels; }
};

// A convolution: weight [out_channels, kernel_h, kernel_w, channels / groups]; group g reads the
// g-th slice of the input channels and writes the g-th slice of the output channels.
struct ConvShape : ImageShape {
  std::int64_t out_channels = 1, groups = 1;
  std::int64_t group_channels() const { return channels / groups; }
  std::int64_t group_outputs() const { return out_channels / groups; }
  // Products summed into one output element: the length of one filter.
  std::int64_t depth() const { return window.taps() * group_channels(); }
  std::int64_t y_size() const { return out_pixels() * out_channels; }  // of one image
};

}  // namespace pare
