// Reference kernels of the pools: plain loops on a scalar type, the definition of what the fast
// kernels compute. Taps outside the image are left out; every window sees at least one pixel.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/reference/conv.h"

namespace pare::reference {

// Index in x of the maximum of each output element's window: the first one among equals, the first
// NaN if there is one.
template <class T>
std::vector<std::int64_t> argmax_of_windows(const ImageShape& s, const std::vector<T>& x) {
  std::vector<std::int64_t> best(s.batch * s.out_pixels() * s.channels, -1);
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t first, std::int64_t) {
      for (std::int64_t c = 0; c < s.channels; ++c) {
        std::int64_t& at = best[p * s.channels + c];
        const std::int64_t i = first + c;
        if (at < 0 || x[i] > x[at] || (x[i] != x[i] && x[at] == x[at])) at = i;
      }
    });
  });
  return best;
}

template <class T>
std::vector<T> max_pool2d(const ImageShape& s, const std::vector<T>& x) {
  std::vector<T> y;
  for (const std::int64_t i : argmax_of_windows(s, x)) y.push_back(x[i]);
  return y;
}

template <class T>
std::vector<std::vector<T>> max_pool2d_backward(const ImageShape& s, const std::vector<T>& x,
                                                const std::vector<T>& dy) {
  std::vector<T> dx(x.size());
  const std::vector<std::int64_t> best = argmax_of_windows(s, x);
  for (std::size_t o = 0; o < dy.size(); ++o) dx[best[o]] += dy[o];
  return {dx};
}

// The pixels inside the image that each output pixel's window sees.
inline std::vector<std::int64_t> taps_of_windows(const ImageShape& s) {
  std::vector<std::int64_t> taps(s.batch * s.out_pixels());
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t, std::int64_t) { ++taps[p]; });
  });
  return taps;
}

template <class T>
std::vector<T> average_pool2d(const ImageShape& s, const std::vector<T>& x) {
  const std::vector<std::int64_t> taps = taps_of_windows(s);
  std::vector<T> y(taps.size() * s.channels);
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t first, std::int64_t) {
      for (std::int64_t c = 0; c < s.channels; ++c) {
        y[p * s.channels + c] += x[first + c] / T(taps[p]);
      }
    });
  });
  return y;
}

template <class T>
std::vector<std::vector<T>> average_pool2d_backward(const ImageShape& s, const std::vector<T>& dy) {
  const std::vector<std::int64_t> taps = taps_of_windows(s);
  std::vector<T> dx(s.batch * s.image_size());
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t first, std::int64_t) {
      for (std::int64_t c = 0; c < s.channels; ++c) {
        dx[first + c] += dy[p * s.channels + c] / T(taps[p]);
      }
    });
  });
  return {dx};
}

// Global average pooling: the window that covers the image.
inline ImageShape whole_image(ImageShape s) {
  s.window = Window{};
  s.window.kernel_h = s.height;
  s.window.kernel_w = s.width;
  return s;
}

}  // namespace pare::reference
