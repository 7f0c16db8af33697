#include "apps/lib/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"

namespace pare::report {
namespace {

// The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `parts`.
double round_step(double span, int parts) {
  const double least = span / parts;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

void widen(double& low, double& high) {
  PARE_ENSURE(std::isfinite(low) && std::isfinite(high) && low <= high);
  // A span that double arithmetic cannot cut into ticks counts as empty.
  const double size = std::max(std::abs(low), std::abs(high));
  if (high - low > 1e-9 * size) return;
  const double margin = size > 0 ? 0.1 * size : 1;
  low -= margin;
  high += margin;
}

std::string label(double value, double step) {
  if (std::abs(value) < step / 2) return "0";
  if (step < 1e-4 || std::abs(value) >= 1e6) return fmt::format("{:g}", value);
  const auto decimals = static_cast<int>(std::max(0.0, -std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

// Multiples of step in [low, high].
std::vector<Tick> ticks_between(double low, double high, double step) {
  std::vector<Tick> ticks;
  const auto first = static_cast<std::int64_t>(std::ceil(low / step - 1e-6));
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-6));
  for (std::int64_t i = first; i <= last; ++i) {
    const double value = static_cast<double>(i) * step;
    ticks.push_back({value, label(value, step)});
  }
  return ticks;
}

}  // namespace

double Axis::position(double value) const {
  if (scale == Scale::linear) return (value - low) / (high - low);
  return std::log(value / low) / std::log(high / low);
}

Axis exact_axis(double low, double high, int ticks) {
  widen(low, high);
  return {Scale::linear, low, high, ticks_between(low, high, round_step(high - low, ticks))};
}

Axis round_axis(double low, double high, int ticks) {
  widen(low, high);
  const double step = round_step(high - low, ticks);
  low = std::floor(low / step + 1e-6) * step;
  high = std::ceil(high / step - 1e-6) * step;
  return {Scale::linear, low, high, ticks_between(low, high, step)};
}

Axis logarithmic_axis(double low, double high) {
  PARE_ENSURE(low > 0 && low <= high);
  const auto first = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  auto last = static_cast<int>(std::ceil(std::log10(high) - 1e-9));
  last = std::max(last, first + 1);
  Axis axis{Scale::logarithmic, std::pow(10.0, first), std::pow(10.0, last)};
  for (int power = first; power <= last; ++power) {
    const double value = std::pow(10.0, power);
    axis.ticks.push_back({value, fmt::format("{:g}", value)});
  }
  return axis;
}

}  // namespace pare::report
