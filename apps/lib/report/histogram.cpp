#include "apps/lib/report/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/lib/report/html.h"

namespace pare::report {
namespace {

constexpr double kWidth = 144, kHeight = 40;

// Bars as one path; a bin that holds anything is at least a hair high.
std::string bars(const Histogram& histogram) {
  const auto most =
      static_cast<double>(*std::max_element(histogram.counts.begin(), histogram.counts.end()));
  const double width = kWidth / static_cast<double>(histogram.counts.size());
  std::string path;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double height = std::max(0.7, kHeight * static_cast<double>(histogram.counts[i]) / most);
    path += fmt::format("M{:.1f} {}v{:.1f}h{:.1f}V{}z", static_cast<double>(i) * width, kHeight,
                        -height, width - 0.5, kHeight);
  }
  return "<path class=\"bars\" d=\"" + path + "\"/>";
}

std::string line_at(const Histogram& histogram, double value, const char* style) {
  if (value <= histogram.low || value >= histogram.high) return "";
  const double x = kWidth * (value - histogram.low) / (histogram.high - histogram.low);
  return fmt::format("<path class=\"{}\" d=\"M{:.1f} 0V{}\"/>", style, x, kHeight);
}

// With three digits of the span: the smallest value behind a relu is next to 0, and "0.00" says so.
std::string end(const Histogram& histogram, double value) {
  const double span = histogram.high - histogram.low;
  if (!(span > 0)) return number(value);
  const auto decimals = static_cast<int>(std::clamp(2 - std::floor(std::log10(span)), 0.0, 6.0));
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::int64_t Histogram::others() const {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

Histogram histogram(std::span<const float> values, int bins) {
  Histogram result;
  bool first = true;
  for (const float value : values) {
    const double x = value;
    result.sum += x;
    result.sum_squares += x * x;
    if (x == 0) {
      ++result.zeros;
      continue;
    }
    result.low = first ? x : std::min(result.low, x);
    result.high = first ? x : std::max(result.high, x);
    first = false;
  }
  if (first) return result;
  result.counts.resize(static_cast<std::size_t>(bins));
  const double span = result.high - result.low;
  for (const float value : values) {
    if (value == 0) continue;
    const double place = span > 0 ? (static_cast<double>(value) - result.low) / span * bins : 0;
    ++result.counts[static_cast<std::size_t>(std::min<double>(place, bins - 1))];
  }
  return result;
}

std::string to_html(const Histogram& histogram, const std::optional<Limits>& grid) {
  if (histogram.counts.empty()) return "<span class=\"none\">all zero</span>";
  std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\">", kWidth, kHeight + 1);
  svg += bars(histogram) + line_at(histogram, 0, "zero");
  if (grid) svg += line_at(histogram, grid->low, "limit") + line_at(histogram, grid->high, "limit");
  svg += fmt::format("<path class=\"axis\" d=\"M0 {}H{}\"/></svg>", kHeight, kWidth);
  return fmt::format(
      "<span class=\"histogram\" title=\"{} values that are not zero, {} that are\">{}"
      "<span><i>{}</i><i>{}</i></span></span>",
      histogram.others(), histogram.zeros, svg, end(histogram, histogram.low),
      end(histogram, histogram.high));
}

}  // namespace pare::report
