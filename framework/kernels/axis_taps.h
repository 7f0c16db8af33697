// Which taps of a window reach which places along one axis, seen from the places that are written:
// outputs, for a convolution, or inputs, for its gradient. For kernels that gather, and so write
// every place once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "framework/ops/window.h"
#include "framework/tensor/step_vector.h"

namespace pare {

// Tap first + k * tap_step() of the axis reads source + k, for 0 <= k < count.
struct AxisTaps {
  std::int64_t first = 0, count = 0, source = 0;
};

// Output p reads input p * stride - pad + tap.
struct OutputAxis {
  std::int64_t places, inputs, kernel, stride, pad;
  std::int64_t period() const { return 1; }
  std::int64_t advance() const { return stride; }
  std::int64_t tap_step() const { return 1; }
  AxisTaps at(std::int64_t place) const {
    const std::int64_t left = place * stride - pad, first = std::max<std::int64_t>(0, -left);
    return {first, std::max<std::int64_t>(0, std::min(kernel, inputs - left) - first),
            left + first};
  }
};

// Input p is read by output (p + pad - tap) / stride, by those taps that leave no remainder.
struct InputAxis {
  std::int64_t places, outputs, kernel, stride, pad;
  std::int64_t period() const { return stride; }
  std::int64_t advance() const { return 1; }
  std::int64_t tap_step() const { return -stride; }
  AxisTaps at(std::int64_t place) const {
    const std::int64_t reach = place + pad;
    const std::int64_t first = std::max<std::int64_t>(0, reach - kernel + stride) / stride;
    const std::int64_t last = std::min(reach / stride, outputs - 1);
    return {reach - first * stride, std::max<std::int64_t>(0, last - first + 1), first};
  }
};

// Places first, first + period(), ...: they have the same taps, and each one's sources lie
// advance() behind those of the one before.
struct PlaceRun {
  std::int64_t first, count;
  AxisTaps taps;
};

template <class Axis>
StepVector<PlaceRun> place_runs(const Axis& axis) {
  StepVector<PlaceRun> runs;
  runs.reserve(static_cast<std::size_t>(axis.places));
  for (std::int64_t phase = 0; phase < axis.period(); ++phase) {
    for (std::int64_t p = phase; p < axis.places; p += axis.period()) {
      const AxisTaps taps = axis.at(p);
      if (p != phase && runs.back().taps.first == taps.first &&
          runs.back().taps.count == taps.count)
        ++runs.back().count;
      else
        runs.push_back({p, 1, taps});
    }
  }
  return runs;
}

inline OutputAxis output_rows(const ImageShape& s) {
  return {s.out_h(), s.height, s.window.kernel_h, s.window.stride_h, s.window.pad_top};
}
inline OutputAxis output_columns(const ImageShape& s) {
  return {s.out_w(), s.width, s.window.kernel_w, s.window.stride_w, s.window.pad_left};
}
inline InputAxis input_rows(const ImageShape& s) {
  return {s.height, s.out_h(), s.window.kernel_h, s.window.stride_h, s.window.pad_top};
}
inline InputAxis input_columns(const ImageShape& s) {
  return {s.width, s.out_w(), s.window.kernel_w, s.window.stride_w, s.window.pad_left};
}

}  // namespace pare
