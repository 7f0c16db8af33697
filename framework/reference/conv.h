// Reference kernels of convolutions, grouped and depthwise: plain loops on a scalar type, the
// definition of what the fast kernels compute. One walk over all products (output element, input
// element, weight) serves forward and backward.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/ops/window.h"

namespace pare::reference {

// Calls tap(index in x, index of the tap) for every tap of the output pixel (b, oy, ox) that lies
// inside the image; the index in x is that of the pixel's channel 0.
template <class F>
void for_each_tap(const ImageShape& s, std::int64_t b, std::int64_t oy, std::int64_t ox, F tap) {
  const Window& w = s.window;
  for (std::int64_t i = 0; i < w.kernel_h; ++i) {
    for (std::int64_t j = 0; j < w.kernel_w; ++j) {
      const std::int64_t iy = oy * w.stride_h - w.pad_top + i;
      const std::int64_t ix = ox * w.stride_w - w.pad_left + j;
      if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
      tap(((b * s.height + iy) * s.width + ix) * s.channels, i * w.kernel_w + j);
    }
  }
}

// Calls pixel(index of the output pixel, b, oy, ox) for every output pixel.
template <class F>
void for_each_pixel(const ImageShape& s, F pixel) {
  std::int64_t p = 0;
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t oy = 0; oy < s.out_h(); ++oy) {
      for (std::int64_t ox = 0; ox < s.out_w(); ++ox) pixel(p++, b, oy, ox);
    }
  }
}

// Calls product(y index, x index, weight index) for every product of a convolution:
// y[b, oy, ox, o] += x[b, oy*stride - pad + i, ox*stride - pad + j, g*C/groups + c] * weight[o, i,
// j, c], g = group of o.
template <class F>
void for_each_conv_product(const ConvShape& s, F product) {
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t x, std::int64_t tap) {
      for (std::int64_t o = 0; o < s.out_channels; ++o) {
        const std::int64_t first = o / s.group_outputs() * s.group_channels();
        for (std::int64_t c = 0; c < s.group_channels(); ++c) {
          product(p * s.out_channels + o, x + first + c,
                  (o * s.window.taps() + tap) * s.group_channels() + c);
        }
      }
    });
  });
}

// The same for a depthwise convolution with weight [1, kh, kw, out_channels]: output channel o
// reads input channel o / (out_channels / channels). `groups` is not used.
template <class F>
void for_each_depthwise_product(const ConvShape& s, F product) {
  const std::int64_t multiplier = s.out_channels / s.channels;
  for_each_pixel(s, [&](std::int64_t p, std::int64_t b, std::int64_t oy, std::int64_t ox) {
    for_each_tap(s, b, oy, ox, [&](std::int64_t x, std::int64_t tap) {
      for (std::int64_t o = 0; o < s.out_channels; ++o) {
        product(p * s.out_channels + o, x + o / multiplier, tap * s.out_channels + o);
      }
    });
  });
}

// y = bias + the sum of all products, for either walk above; an empty bias counts as zero.
template <class T, class Walk>
std::vector<T> convolution(Walk walk, const ConvShape& s, const std::vector<T>& x,
                           const std::vector<T>& weight, const std::vector<T>& bias) {
  std::vector<T> y(s.batch * s.y_size());
  for (std::size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] = bias[i % bias.size()];
  walk(s, [&](std::int64_t o, std::int64_t i, std::int64_t k) { y[o] += x[i] * weight[k]; });
  return y;
}

// {dx, dweight, dbias}
template <class T, class Walk>
std::vector<std::vector<T>> convolution_backward(Walk walk, const ConvShape& s,
                                                 const std::vector<T>& x,
                                                 const std::vector<T>& weight,
                                                 const std::vector<T>& dy) {
  std::vector<T> dx(x.size()), dweight(weight.size()), dbias(s.out_channels);
  walk(s, [&](std::int64_t o, std::int64_t i, std::int64_t k) {
    dx[i] += dy[o] * weight[k];
    dweight[k] += dy[o] * x[i];
  });
  for (std::size_t i = 0; i < dy.size(); ++i) dbias[i % dbias.size()] += dy[i];
  return {dx, dweight, dbias};
}

template <class T>
std::vector<T> conv2d(const ConvShape& s, const std::vector<T>& x, const std::vector<T>& weight,
                      const std::vector<T>& bias) {
  return convolution([](const ConvShape& shape, auto f) { for_each_conv_product(shape, f); }, s, x,
                     weight, bias);
}

template <class T>
std::vector<std::vector<T>> conv2d_backward(const ConvShape& s, const std::vector<T>& x,
                                            const std::vector<T>& weight,
                                            const std::vector<T>& dy) {
  return convolution_backward(
      [](const ConvShape& shape, auto f) { for_each_conv_product(shape, f); }, s, x, weight, dy);
}

template <class T>
std::vector<T> depthwise_conv2d(const ConvShape& s, const std::vector<T>& x,
                                const std::vector<T>& weight, const std::vector<T>& bias) {
  return convolution([](const ConvShape& shape, auto f) { for_each_depthwise_product(shape, f); },
                     s, x, weight, bias);
}

template <class T>
std::vector<std::vector<T>> depthwise_conv2d_backward(const ConvShape& s, const std::vector<T>& x,
                                                      const std::vector<T>& weight,
                                                      const std::vector<T>& dy) {
  return convolution_backward(
      [](const ConvShape& shape, auto f) { for_each_depthwise_product(shape, f); }, s, x, weight,
      dy);
}

}  // namespace pare::reference
