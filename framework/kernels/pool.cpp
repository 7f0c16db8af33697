#include "framework/kernels/pool.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/kernels/windows.h"

namespace pare {
namespace {

using simd::Floats;
using Bools = decltype(Floats{} < Floats{});

// Calls f(first channel, mask) for each vector of channels.
template <class F>
void for_each_vector(std::int64_t channels, const F& f) {
  for (std::int64_t c = 0; c < channels; c += simd::kLanes) {
    f(c, simd::first_lanes(std::min<std::int64_t>(simd::kLanes, channels - c)));
  }
}

// Windows touch each other, do not overlap and leave no pixel out: dx is then written once, in place of cleared and
// added to.
bool tiles_exactly(const ImageShape& s) {
  const Window& w = s.window;
  return !w.padded() && w.kernel_h == w.stride_h && w.kernel_w == w.stride_w &&
         s.height == s.out_h() * w.stride_h && s.width == s.out_w() * w.stride_w;
}

// Calls put(place in dx, gradient vector, mask) for every tap of every window of one image.
template <class Put>
void route_to_maxima(const ImageShape& s, const float* x, const float* y, const float* dy,
                     float* dx, const Put& put) {
  for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
    for_each_vector(s.channels, [&](std::int64_t c, simd::Mask mask) {
      const Floats maximum = simd::load(y + p * s.channels + c, mask);
      const Floats gradient = simd::load(dy + p * s.channels + c, mask);
      Bools open = maximum == maximum || maximum != maximum;  // all lanes still look for theirs
      for_each_tap(s.window, taps, [&](std::int64_t pixel, std::int64_t) {
        const Floats v = simd::load(x + pixel * s.channels + c, mask);
        const Bools here = open & ((v == maximum) | (v != v));
        put(dx + pixel * s.channels + c, here ? gradient : Floats{}, mask);
        open &= ~here;
      });
    });
  });
}

}  // namespace

void max_pool_forward(const ImageShape& s, const float* x, float* y) {
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    float* out = y + b * s.out_pixels() * s.channels;
    for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
      const std::int64_t first = taps.pixel(taps.first_h, taps.first_w);
      for_each_vector(s.channels, [&](std::int64_t c, simd::Mask mask) {
        Floats best = simd::load(image + first * s.channels + c, mask);
        for_each_tap(s.window, taps, [&](std::int64_t pixel, std::int64_t) {
          const Floats v = simd::load(image + pixel * s.channels + c, mask);
          best = (v > best) | (v != v) ? v : best;
        });
        simd::store(out + p * s.channels + c, best, mask);
      });
    });
  });
}

void max_pool_backward(const ImageShape& s, const float* x, const float* y, const float* dy,
                       float* dx, float beta) {
  const std::int64_t y_size = s.out_pixels() * s.channels;
  const bool write_once = beta == 0 && tiles_exactly(s);
  const auto write = [](float* at, Floats v, simd::Mask mask) { simd::store(at, v, mask); };
  const auto add = [](float* at, Floats v, simd::Mask mask) {
    simd::store(at, simd::load(at, mask) + v, mask);
  };
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    float* out = dx + b * s.image_size();
    if (write_once) {
      route_to_maxima(s, image, y + b * y_size, dy + b * y_size, out, write);
      return;
    }
    if (beta == 0) std::fill_n(out, s.image_size(), 0.0f);
    route_to_maxima(s, image, y + b * y_size, dy + b * y_size, out, add);
  });
}

void average_pool_forward(const ImageShape& s, const float* x, float* y) {
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    float* out = y + b * s.out_pixels() * s.channels;
    for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
      const Floats count = simd::broadcast(static_cast<float>(taps.count()));
      for_each_vector(s.channels, [&](std::int64_t c, simd::Mask mask) {
        Floats sum{};
        for_each_tap(s.window, taps, [&](std::int64_t pixel, std::int64_t) {
          sum += simd::load(image + pixel * s.channels + c, mask);
        });
        simd::store(out + p * s.channels + c, sum / count, mask);
      });
    });
  });
}

void average_pool_backward(const ImageShape& s, const float* dy, float* dx, float beta) {
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* gradient = dy + b * s.out_pixels() * s.channels;
    float* out = dx + b * s.image_size();
    if (beta == 0) std::fill_n(out, s.image_size(), 0.0f);
    for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
      const Floats count = simd::broadcast(static_cast<float>(taps.count()));
      for_each_vector(s.channels, [&](std::int64_t c, simd::Mask mask) {
        const Floats share = simd::load(gradient + p * s.channels + c, mask) / count;
        for_each_tap(s.window, taps, [&](std::int64_t pixel, std::int64_t) {
          float* at = out + pixel * s.channels + c;
          simd::store(at, simd::load(at, mask) + share, mask);
        });
      });
    });
  });
}

}  // namespace pare
