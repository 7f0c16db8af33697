#include "compression/quantize/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr double kSmallestScale = 0x1p-100;

double scale_of(const GridFormat& format, Range range) {
  const double span =
      format.scheme == Scheme::symmetric
          ? std::max(-static_cast<double>(range.low), static_cast<double>(range.high))
          : static_cast<double>(range.high) - static_cast<double>(range.low);
  if (span == 0) return 1;
  const double steps =
      format.scheme == Scheme::symmetric ? format.qmax() : format.qmax() - format.qmin();
  return span / steps;
}

float rounded(double scale, ScaleKind kind) {
  if (kind == ScaleKind::power_of_two) scale = std::exp2(std::ceil(std::log2(scale)));
  return static_cast<float>(scale);
}

bool are_finite(Range range, float scale) {
  return std::isfinite(range.low) && std::isfinite(range.high) && std::isfinite(scale);
}

}  // namespace

void append_channel(Grid& grid, Range range, const std::string& where) {
  const GridFormat& format = grid.format;
  const float scale = rounded(scale_of(format, range), format.scale);
  if (!are_finite(range, scale)) {
    throw GridError(fmt::format("{}: values in [{}, {}] cannot be put on a grid of {} bits", where,
                                range.low, range.high, format.bits));
  }
  if (scale < kSmallestScale) {
    throw ConfigError(
        fmt::format("{}: values in [{}, {}] cannot be put on a grid of {} bits: its scale must be "
                    "at least 2^-100; look for a tensor that vanished",
                    where, range.low, range.high, format.bits));
  }
  std::int32_t zero_point = 0;
  if (format.scheme == Scheme::affine) {
    zero_point = to_code(-range.low, 1.0 / static_cast<double>(scale), format.qmin(), format.qmin(),
                         format.qmax());
  }
  grid.scales.push_back(scale);
  grid.zero_points.push_back(zero_point);
}

void append_scale(Grid& grid, double scale, std::int32_t zero_point, const std::string& where) {
  const float used = rounded(scale, grid.format.scale);
  if (!std::isfinite(used))
    throw GridError(fmt::format("{}: the scale of its grid became {}", where, scale));
  if (used < kSmallestScale) {
    throw ConfigError(
        fmt::format("{}: the scale of its grid became {}; it must be at least 2^-100; try a "
                    "smaller learning rate, or a smaller one for the quantizer's own parameters",
                    where, scale));
  }
  grid.scales.push_back(used);
  grid.zero_points.push_back(zero_point);
}

PassRange pass_range(float scale, std::int32_t zero_point, std::int32_t qmin, std::int32_t qmax) {
  const double r = 1.0 / static_cast<double>(scale);
  const double low_code = qmin - zero_point;
  const double high_code = qmax - zero_point;
  const auto code = [&](float x) { return std::floor(static_cast<double>(x) * r + 0.5); };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Start from the rounded boundary and walk to the last float on the right side of it.
  auto low = static_cast<float>((low_code - 0.5) / r);
  while (code(low) < low_code) low = std::nextafter(low, kInfinity);
  while (code(std::nextafter(low, -kInfinity)) >= low_code) low = std::nextafter(low, -kInfinity);
  auto high = static_cast<float>((high_code + 0.5) / r);
  while (code(high) > high_code) high = std::nextafter(high, -kInfinity);
  while (code(std::nextafter(high, kInfinity)) <= high_code) high = std::nextafter(high, kInfinity);
  return {low, high};
}

ChannelView channel_view(const Shape& shape, int axis) {
  if (axis < 0) return {1, 1, shape.size()};
  std::int64_t outer = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  return {outer, shape[axis], shape.size_from(axis + 1)};
}

}  // namespace pare
