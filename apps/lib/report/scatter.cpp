#include "apps/lib/report/scatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "apps/lib/report/html.h"

namespace pare::report {
namespace {

constexpr double kWidth = 460, kHeight = 300;
constexpr double kLeft = 54, kRight = 434, kTop = 24, kBottom = 258;

std::vector<ScatterPoint> drawable(const Scatter& scatter) {
  std::vector<ScatterPoint> points;
  std::copy_if(scatter.points.begin(), scatter.points.end(), std::back_inserter(points),
               [&](const ScatterPoint& p) {
                 return std::isfinite(p.x) && std::isfinite(p.y) &&
                        (scatter.x_scale == Scale::linear || p.x > 0);
               });
  return points;
}

struct Frame {
  Axis x, y;
  double px(double value) const { return kLeft + (kRight - kLeft) * x.position(value); }
  double py(double value) const { return kBottom - (kBottom - kTop) * y.position(value); }
};

Frame frame_of(const Scatter& scatter, const std::vector<ScatterPoint>& points) {
  const auto [left, right] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const auto [bottom, top] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
  return {scatter.x_scale == Scale::logarithmic ? logarithmic_axis(left->x, right->x)
                                                : round_axis(left->x, right->x, 6),
          round_axis(bottom->y, top->y, 5)};
}

std::string axes(const Scatter& scatter, const Frame& frame) {
  std::string svg;
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.py(tick.value);
    const bool zero = scatter.marks_zero && tick.value == 0;
    svg += fmt::format("<path class=\"{}\" d=\"M{} {:.1f}H{}\"/>", zero ? "axis" : "grid", kLeft, y,
                       kRight);
    svg += fmt::format("<text class=\"left\" x=\"{}\" y=\"{:.1f}\">{}</text>", kLeft - 6, y + 4,
                       tick.label);
  }
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.px(tick.value);
    const bool zero = scatter.marks_zero && tick.value == 0;
    svg += fmt::format("<path class=\"{}\" d=\"M{:.1f} {}V{}\"/>", zero ? "axis" : "grid", x, kTop,
                       kBottom);
    svg += fmt::format("<text class=\"below\" x=\"{:.1f}\" y=\"{}\">{}</text>", x, kBottom + 16,
                       tick.label);
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{} {}H{}\"/>", kLeft, kBottom, kRight);
  svg += fmt::format("<text class=\"below\" x=\"{}\" y=\"{}\">{}</text>", (kLeft + kRight) / 2,
                     kHeight - 8, escape(scatter.x_label));
  return svg + fmt::format("<text x=\"4\" y=\"13\">{}</text>", escape(scatter.y_label));
}

std::string dot(const ScatterPoint& p, const Frame& frame, double radius) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}</title></circle>",
                     frame.px(p.x), frame.py(p.y), radius,
                     escape(fmt::format("{}: {}, {}", p.label, number(p.x), number(p.y))));
}

std::string dots(const std::vector<ScatterPoint>& points, const Frame& frame) {
  std::vector<ScatterPoint> front;
  std::string svg = "<g class=\"series s0\">";
  for (const ScatterPoint& p : points) {
    if (p.on_front) {
      front.push_back(p);
    } else {
      svg += dot(p, frame, 3);
    }
  }
  std::sort(front.begin(), front.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  std::string path, marks;
  for (const ScatterPoint& p : front) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.px(p.x), frame.py(p.y));
    marks += dot(p, frame, 4.5);
  }
  svg += "</g><g class=\"series s1\">";
  if (!path.empty()) svg += fmt::format("<path d=\"{}\"/>", path);
  return svg + marks + "</g>";
}

}  // namespace

std::string to_html(const Scatter& scatter) {
  const std::string head = fmt::format("<figure class=\"chart\"><figcaption><b>{}</b></figcaption>",
                                       escape(scatter.title));
  const std::vector<ScatterPoint> points = drawable(scatter);
  if (points.empty()) return head + "<p class=\"none\">no values</p></figure>\n";
  const Frame frame = frame_of(scatter, points);
  return head +
         fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kWidth, kHeight,
                     escape(scatter.title)) +
         axes(scatter, frame) + dots(points, frame) + "</svg></figure>\n";
}

}  // namespace pare::report
