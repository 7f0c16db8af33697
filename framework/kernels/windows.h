// Walks over the windows of one image, with the range of taps that lie inside it: for pools, which
// vectorise over channels and visit every tap once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "framework/ops/window.h"

namespace pare {

// The taps of one window that lie inside the image: i in [first_h, last_h), j in [first_w, last_w).
// Tap (i, j) is input pixel (top + i, left + j), which is pixel number pixel(i, j) of the image.
struct VisibleTaps {
  std::int64_t top, left, first_h, last_h, first_w, last_w, width;
  std::int64_t count() const { return (last_h - first_h) * (last_w - first_w); }
  std::int64_t pixel(std::int64_t i, std::int64_t j) const { return (top + i) * width + left + j; }
};

// Calls f(number of the output pixel, VisibleTaps) for each output pixel of one image.
template <class F>
void for_each_window(const ImageShape& s, const F& f) {
  const Window& w = s.window;
  std::int64_t p = 0;
  for (std::int64_t y = 0; y < s.out_h(); ++y) {
    const std::int64_t top = y * w.stride_h - w.pad_top;
    const std::int64_t first_h = std::max<std::int64_t>(0, -top);
    const std::int64_t last_h = std::min(w.kernel_h, s.height - top);
    for (std::int64_t x = 0; x < s.out_w(); ++x, ++p) {
      const std::int64_t left = x * w.stride_w - w.pad_left;
      f(p, VisibleTaps{top, left, first_h, last_h, std::max<std::int64_t>(0, -left),
                       std::min(w.kernel_w, s.width - left), s.width});
    }
  }
}

// Calls f(pixel number in the image, number of the tap) for each visible tap.
template <class F>
void for_each_tap(const Window& w, const VisibleTaps& taps, const F& f) {
  for (std::int64_t i = taps.first_h; i < taps.last_h; ++i) {
    for (std::int64_t j = taps.first_w; j < taps.last_w; ++j) {
      f(taps.pixel(i, j), i * w.kernel_w + j);
    }
  }
}

}  // namespace pare
