#include "framework/kernels/depthwise.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/kernels/windows.h"
#include "framework/tensor/tensor.h"

namespace pare {
namespace {

// Calls f(offset of the output pixel in y, offset of the input pixel in x, offset of the tap in
// weight).
template <class F>
void for_each_visible_tap(const ConvShape& s, const F& f) {
  for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
    for_each_tap(s.window, taps, [&](std::int64_t pixel, std::int64_t tap) {
      f(p * s.out_channels, pixel * s.channels, tap * s.out_channels);
    });
  });
}

// out[o] += a[o / multiplier] * b[o]
void multiply_add(std::int64_t channels, std::int64_t multiplier, const float* a, const float* b,
                  float* out) {
  if (multiplier == 1) {
    for (std::int64_t c = 0; c < channels; ++c) out[c] += a[c] * b[c];
    return;
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t m = c * multiplier; m < (c + 1) * multiplier; ++m) out[m] += a[c] * b[m];
  }
}

// out[c] += sum over the outputs o of channel c of a[o] * b[o]
void multiply_add_back(std::int64_t channels, std::int64_t multiplier, const float* a,
                       const float* b, float* out) {
  if (multiplier == 1) return multiply_add(channels, 1, a, b, out);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t m = c * multiplier; m < (c + 1) * multiplier; ++m) out[c] += a[m] * b[m];
  }
}

}  // namespace

void depthwise_forward(const ConvShape& s, const float* x, const float* weight, const float* bias,
                       float* y) {
  const std::int64_t multiplier = s.out_channels / s.channels;
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    float* out = y + b * s.y_size();
    for (std::int64_t i = 0; i < s.y_size(); i += s.out_channels) {
      if (bias)
        std::copy_n(bias, s.out_channels, out + i);
      else
        std::fill_n(out + i, s.out_channels, 0.0f);
    }
    for_each_visible_tap(s, [&](std::int64_t o, std::int64_t i, std::int64_t k) {
      multiply_add(s.channels, multiplier, image + i, weight + k, out + o);
    });
  });
}

void depthwise_input_gradient(const ConvShape& s, const float* dy, const float* weight, float* dx,
                              float beta) {
  const std::int64_t multiplier = s.out_channels / s.channels;
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* gradient = dy + b * s.y_size();
    float* out = dx + b * s.image_size();
    if (beta == 0) std::fill_n(out, s.image_size(), 0.0f);
    for_each_visible_tap(s, [&](std::int64_t o, std::int64_t i, std::int64_t k) {
      multiply_add_back(s.channels, multiplier, gradient + o, weight + k, out + i);
    });
  });
}

void depthwise_weight_gradient(const ConvShape& s, const float* x, const float* dy, float* dweight,
                               float beta) {
  const std::int64_t multiplier = s.out_channels / s.channels;
  const std::int64_t size = s.window.taps() * s.out_channels;
  const std::int64_t images = (s.batch + 15) / 16;
  const std::int64_t chunks = (s.batch + images - 1) / images;
  Tensor sums = Tensor::zeros(Shape{chunks, size});
  float* all = sums.mutable_data();
  parallel_for(chunks, [&](std::int64_t chunk) {
    for (std::int64_t b = chunk * images; b < std::min((chunk + 1) * images, s.batch); ++b) {
      const float* image = x + b * s.image_size();
      const float* gradient = dy + b * s.y_size();
      for_each_visible_tap(s, [&](std::int64_t o, std::int64_t i, std::int64_t k) {
        multiply_add(s.channels, multiplier, image + i, gradient + o, all + chunk * size + k);
      });
    }
  });
  for (std::int64_t k = 0; k < size; ++k) {
    float sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += all[chunk * size + k];
    dweight[k] = beta == 0 ? sum : dweight[k] + sum;
  }
}

}  // namespace pare
