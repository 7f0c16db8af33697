#include "framework/kernels/pool.h"

#include <algorithm>
#include <cstring>

#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/kernels/windows.h"

namespace pare {
namespace {

using simd::Floats;
using simd::Ints;
typedef std::uint16_t Taps __attribute__((vector_size(2 * simd::kLanes)));

Ints all(std::int64_t tap) { return static_cast<int>(tap) - Ints{}; }

// A copy of known size is one instruction, hence the two cases.
Ints load_taps(const std::uint16_t* p, std::int64_t lanes) {
  Taps taps{};
  if (lanes == simd::kLanes)
    std::memcpy(&taps, p, sizeof taps);
  else
    std::memcpy(&taps, p, static_cast<std::size_t>(lanes) * sizeof *p);
  return __builtin_convertvector(taps, Ints);
}

void store_taps(std::uint16_t* p, Ints taps, std::int64_t lanes) {
  const Taps narrow = __builtin_convertvector(taps, Taps);
  if (lanes == simd::kLanes)
    std::memcpy(p, &narrow, sizeof narrow);
  else
    std::memcpy(p, &narrow, static_cast<std::size_t>(lanes) * sizeof *p);
}

// Calls f(first channel, number of channels) for each vector of channels.
template <class F>
void for_each_vector(std::int64_t channels, const F& f) {
  for (std::int64_t c = 0; c < channels; c += simd::kLanes)
    f(c, std::min<std::int64_t>(simd::kLanes, channels - c));
}

// Windows touch each other, do not overlap and leave no pixel out: dx is then written once, in
// place of cleared and added to.
bool tiles_exactly(const ImageShape& s) {
  const Window& w = s.window;
  return !w.padded() && w.kernel_h == w.stride_h && w.kernel_w == w.stride_w &&
         s.height == s.out_h() * w.stride_h && s.width == s.out_w() * w.stride_w;
}

// Calls put(place in dx, gradient vector, mask) for every tap of every window of one image.
template <class Put>
void route_gradient(const ImageShape& s, const std::uint16_t* taps, const float* dy, float* dx,
                    const Put& put) {
  for_each_window(s, [&](std::int64_t p, const VisibleTaps& visible) {
    for_each_vector(s.channels, [&](std::int64_t c, std::int64_t lanes) {
      const simd::Mask mask = simd::first_lanes(lanes);
      const Ints chosen = load_taps(taps + p * s.channels + c, lanes);
      const Floats gradient = simd::load(dy + p * s.channels + c, mask);
      for_each_tap(s.window, visible, [&](std::int64_t pixel, std::int64_t tap) {
        put(dx + pixel * s.channels + c, chosen == static_cast<int>(tap) ? gradient : Floats{},
            mask);
      });
    });
  });
}

}  // namespace

void max_pool_forward(const ImageShape& s, const float* x, float* y, std::uint16_t* taps) {
  const std::int64_t y_size = s.out_pixels() * s.channels;
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    for_each_window(s, [&](std::int64_t p, const VisibleTaps& visible) {
      const Ints first_tap = all(visible.first_h * s.window.kernel_w + visible.first_w);
      for_each_vector(s.channels, [&](std::int64_t c, std::int64_t lanes) {
        const simd::Mask mask = simd::first_lanes(lanes);
        const auto value = [&](std::int64_t pixel) {
          return simd::load(image + pixel * s.channels + c, mask);
        };
        Floats best = value(visible.pixel(visible.first_h, visible.first_w));
        Ints chosen = first_tap;
        for_each_tap(s.window, visible, [&](std::int64_t pixel, std::int64_t tap) {
          const Floats v = value(pixel);
          const Ints here = all(tap);
          // Nested choices stay in mask registers: not larger keeps the best, and so does a best
          // that is a NaN.
          const Floats larger = v <= best ? best : v;
          const Ints larger_at = v <= best ? chosen : here;
          chosen = best == best ? larger_at : chosen;
          best = best == best ? larger : best;
        });
        const std::int64_t at = b * y_size + p * s.channels + c;
        simd::store(y + at, best, mask);
        store_taps(taps + at, chosen, lanes);
      });
    });
  });
}

void max_pool_backward(const ImageShape& s, const std::uint16_t* taps, const float* dy, float* dx,
                       float beta) {
  const std::int64_t y_size = s.out_pixels() * s.channels;
  const bool write_once = beta == 0 && tiles_exactly(s);
  const auto write = [](float* at, Floats v, simd::Mask mask) { simd::store(at, v, mask); };
  const auto add = [](float* at, Floats v, simd::Mask mask) {
    simd::store(at, simd::load(at, mask) + v, mask);
  };
  parallel_for(s.batch, [&](std::int64_t b) {
    float* out = dx + b * s.image_size();
    if (write_once) {
      route_gradient(s, taps + b * y_size, dy + b * y_size, out, write);
      return;
    }
    if (beta == 0) std::fill_n(out, s.image_size(), 0.0f);
    route_gradient(s, taps + b * y_size, dy + b * y_size, out, add);
  });
}

void average_pool_forward(const ImageShape& s, const float* x, float* y) {
  parallel_for(s.batch, [&](std::int64_t b) {
    const float* image = x + b * s.image_size();
    float* out = y + b * s.out_pixels() * s.channels;
    for_each_window(s, [&](std::int64_t p, const VisibleTaps& taps) {
      const Floats count = simd::broadcast(static_cast<float>(taps.count()));
      for_each_vector(s.channels, [&](std::int64_t c, std::int64_t lanes) {
        const simd::Mask mask = simd::first_lanes(lanes);
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
      for_each_vector(s.channels, [&](std::int64_t c, std::int64_t lanes) {
        const simd::Mask mask = simd::first_lanes(lanes);
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
