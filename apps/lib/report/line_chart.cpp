#include "apps/lib/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "apps/lib/report/html.h"

namespace pare::report {
namespace {

// The drawing's own units; the page scales it to the column's width.
constexpr double kWidth = 460, kHeight = 236;
constexpr double kLeft = 54, kRight = 448, kTop = 22, kBottom = 196;
constexpr std::size_t kMostMarkers = 60;
constexpr double kLetter = 6.2;  // width of an average one

struct Frame {
  Axis x, y;
  double px(double value) const { return kLeft + (kRight - kLeft) * x.position(value); }
  double py(double value) const { return kBottom - (kBottom - kTop) * y.position(value); }
};

bool drawable(const LineChart& chart, const Point& p) {
  const bool positive = chart.scale == Scale::linear || p.y > 0;
  return std::isfinite(p.x) && std::isfinite(p.y) && positive;
}

std::vector<Point> drawable_points(const LineChart& chart, const Series& series) {
  std::vector<Point> points;
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(points),
               [&](const Point& p) { return drawable(chart, p); });
  return points;
}

Axis y_axis(const LineChart& chart, double low, double high) {
  if (chart.scale == Scale::logarithmic) return logarithmic_axis(low, high);
  const double shown = chart.shows.value_or(low);
  Axis axis = round_axis(std::min(low, shown), std::max(high, shown), 5);
  if (chart.at_least) axis.low = std::max(axis.low, *chart.at_least);
  if (chart.at_most) axis.high = std::min(axis.high, *chart.at_most);
  std::erase_if(axis.ticks,
                [&](const Tick& t) { return t.value < axis.low || t.value > axis.high; });
  return axis;
}

// Nothing where no point can be drawn.
std::optional<Frame> frame_of(const LineChart& chart) {
  std::vector<Point> all;
  for (const Series& series : chart.series) {
    for (const Point& p : drawable_points(chart, series)) all.push_back(p);
  }
  if (all.empty()) return std::nullopt;
  const auto by_x = [](const Point& a, const Point& b) { return a.x < b.x; };
  const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
  const auto [left, right] = std::minmax_element(all.begin(), all.end(), by_x);
  const auto [bottom, top] = std::minmax_element(all.begin(), all.end(), by_y);
  double begin = left->x, end = right->x;
  for (const Band& band : chart.bands) {
    begin = std::min(begin, band.begin);
    end = std::max(end, band.end);
  }
  return Frame{exact_axis(begin, end, 8), y_axis(chart, bottom->y, top->y)};
}

// What fits of a label, cut between two characters of UTF-8.
std::string cut(const std::string& label, double width) {
  auto fits = static_cast<std::size_t>(std::max(0.0, (width - 4) / kLetter));
  if (label.size() <= fits) return escape(label);
  while (fits > 0 && (label[fits - 1] & 0xC0) == 0x80) --fits;
  return fits < 3 ? "" : escape(label.substr(0, fits - 1)) + "…";
}

std::string bands(const LineChart& chart, const Frame& frame) {
  std::string svg;
  for (std::size_t i = 0; i < chart.bands.size(); ++i) {
    const Band& band = chart.bands[i];
    const double left = frame.px(band.begin), width = frame.px(band.end) - left;
    const std::string title = fmt::format("<title>phase {}</title>", escape(band.label));
    if (width < 0.05) {
      svg += fmt::format("<path class=\"instant\" d=\"M{:.1f} {}V{}\">{}</path>", left, kTop,
                         kBottom, title);
      continue;
    }
    svg += fmt::format(
        "<rect class=\"band{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\">{}</rect>",
        i % 2, left, kTop - 18, width, kBottom - kTop + 18, title);
    svg += fmt::format("<text class=\"phase\" x=\"{:.1f}\" y=\"{}\">{}</text>", left + width / 2,
                       kTop - 5, cut(band.label, width));
  }
  return svg;
}

std::string axes(const LineChart& chart, const Frame& frame) {
  std::string svg;
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.py(tick.value);
    svg += fmt::format("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>", kLeft, y, kRight);
    svg += fmt::format("<text class=\"left\" x=\"{}\" y=\"{:.1f}\">{}</text>", kLeft - 6, y + 4,
                       tick.label);
  }
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.px(tick.value);
    svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {}v4\"/>", x, kBottom);
    svg += fmt::format("<text class=\"below\" x=\"{:.1f}\" y=\"{}\">{}</text>", x, kBottom + 16,
                       tick.label);
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{} {}H{}\"/>", kLeft, kBottom, kRight);
  svg += fmt::format("<text class=\"below\" x=\"{}\" y=\"{}\">{}</text>", (kLeft + kRight) / 2,
                     kHeight - 6, escape(chart.x_label));
  return svg;
}

std::string marker(const LineChart& chart, const Series& series, const Frame& frame,
                   const Point& p) {
  return fmt::format(
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}, {} {}: {}</title></circle>",
      frame.px(p.x), frame.py(p.y), escape(series.label), escape(chart.x_label), number(p.x),
      number(p.y));
}

std::string curve(const LineChart& chart, std::size_t i, const Frame& frame) {
  const Series& series = chart.series[i];
  const std::vector<Point> points = drawable_points(chart, series);
  std::string path, markers;
  for (const Point& p : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.px(p.x), frame.py(p.y));
    if (series.markers && points.size() <= kMostMarkers) markers += marker(chart, series, frame, p);
  }
  return fmt::format("<g class=\"series s{}\"><path d=\"{}\"/>{}</g>", i % 4, path, markers);
}

std::string mark(const LineChart& chart, const Frame& frame) {
  if (!chart.mark) return "";
  return fmt::format("<path class=\"mark\" d=\"M{:.1f} {}V{}\"><title>{}</title></path>",
                     frame.px(*chart.mark), kTop, kBottom, escape(chart.mark_label));
}

std::string legend(const LineChart& chart) {
  std::string html;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].label.empty()) continue;
    html += fmt::format(
        "<span class=\"key\"><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\">"
        "<g class=\"series s{}\"><path d=\"M0 4H24\"/></g></svg>{}</span>\n",
        i % 4, escape(chart.series[i].label));
  }
  if (chart.mark) {
    html +=
        "<span class=\"key\"><svg class=\"tall\" viewBox=\"0 0 10 14\" aria-hidden=\"true\">"
        "<path class=\"mark\" d=\"M5 0V14\"/></svg>" +
        escape(chart.mark_label) + "</span>";
  }
  return html;
}

}  // namespace

std::string to_html(const LineChart& chart) {
  const std::string caption =
      fmt::format("<figcaption><b>{}</b>{}</figcaption>", escape(chart.title), legend(chart));
  const std::optional<Frame> frame = frame_of(chart);
  if (!frame)
    return "<figure class=\"chart\">" + caption + "<p class=\"none\">no values</p></figure>";
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
                                kWidth, kHeight, escape(chart.title));
  svg += bands(chart, *frame) + axes(chart, *frame) + mark(chart, *frame);
  for (std::size_t i = 0; i < chart.series.size(); ++i) svg += curve(chart, i, *frame);
  return "<figure class=\"chart\">" + caption + svg + "</svg></figure>\n";
}

}  // namespace pare::report
