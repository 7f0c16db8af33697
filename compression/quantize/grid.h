// Grid: the integers that a quantizer maps real values to. real = (code - zero_point) * scale, plus
// the offset of a grid that has one.
//
// Here is the one definition of "real to code" that training, calibration and export share, and the
// one place where a scale is made from a range. Ranges always include 0, so real zero is always a
// code.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/tensor/shape.h"

namespace pare {

enum class Scheme { symmetric, affine };
enum class ScaleKind { real, power_of_two, one };

// Codes of a tensor; 16 bits hold those of every grid.
using GridCodes = std::vector<std::int16_t>;

// What a range is turned into.
struct GridFormat {
  int bits = 8;  // 1 .. 8; symmetric also 16
  Scheme scheme = Scheme::symmetric;
  ScaleKind scale = ScaleKind::real;
  bool lowest = false;  // symmetric: -2^(b-1) is a code too (LSQ below 8 bits)
  // symmetric: -(2^(b-1)-1) .. 2^(b-1)-1, never -128. affine: 128-2^b .. 127, the top of int8, so
  // that fewer bits behind a relu still are plain int8.
  std::int32_t qmin() const {
    return scheme == Scheme::symmetric ? -((1 << (bits - 1)) - 1) - (lowest ? 1 : 0)
                                       : 128 - (1 << bits);
  }
  std::int32_t qmax() const { return scheme == Scheme::symmetric ? (1 << (bits - 1)) - 1 : 127; }
  bool operator==(const GridFormat&) const = default;
};

// One for the whole tensor, or one per channel of its channel axis.
struct Grid {
  GridFormat format;
  std::vector<float> scales;
  std::vector<std::int32_t> zero_points;  // as many as scales; all 0 where symmetric
  GridCodes levels = {};  // the codes that occur, ascending; empty: all from qmin to qmax
  float offset = 0;       // what zero_point stands for: 0 but for signs of activations
  std::int64_t channels() const { return static_cast<std::int64_t>(scales.size()); }
  bool operator==(const Grid&) const = default;
};

// Smallest and largest value, both sides of 0.
struct Range {
  float low = 0;   // <= 0
  float high = 0;  // >= 0
  bool operator==(const Range&) const = default;
};

// A range or a scale is not finite: training diverged, and this is where it shows first.
struct GridError : DivergedError {
  using DivergedError::DivergedError;
};

// Scale and zero point of one channel, appended to the grid. The scale is computed in double and
// rounded to float32 once; an all-zero range gets scale 1. Throws GridError naming `where` for
// a range or scale that is not finite, ConfigError for a scale under 2^-100.
void append_channel(Grid& grid, Range range, const std::string& where);
// The same for a scale that a quantizer knows itself; the zero point is `zero_point`.
void append_scale(Grid& grid, double scale, std::int32_t zero_point, const std::string& where);

// clamp(floor(x * r + 0.5) + zero_point, qmin, qmax) with r = 1.0 / scale in double.
inline std::int32_t to_code(float x, double reciprocal, std::int32_t zero_point, std::int32_t qmin,
                            std::int32_t qmax) {
  const double code = std::floor(static_cast<double>(x) * reciprocal + 0.5) + zero_point;
  return static_cast<std::int32_t>(code < qmin ? qmin : code > qmax ? qmax : code);
}

inline float to_real(std::int32_t code, std::int32_t zero_point, float scale) {
  return static_cast<float>(code - zero_point) * scale;
}

// The interval of x that is not clamped: low <= x <= high exactly when floor(x * r + 0.5) +
// zero_point lies in [qmin, qmax]. What the straight-through gradient passes.
struct PassRange {
  float low, high;
};
PassRange pass_range(float scale, std::int32_t zero_point, std::int32_t qmin, std::int32_t qmax);

// How a tensor is cut along a channel axis: element (o, c, i) lies at (o * channels + c) * inner +
// i.
struct ChannelView {
  std::int64_t outer, channels, inner;
};
// axis < 0: one channel over everything.
ChannelView channel_view(const Shape& shape, int axis);

}  // namespace pare
