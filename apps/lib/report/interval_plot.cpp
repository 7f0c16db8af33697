#include "apps/lib/report/interval_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "apps/lib/report/axis.h"
#include "apps/lib/report/html.h"

namespace pare::report {
namespace {

// The drawing's own units; the page scales it to the column's width.
constexpr double kWidth = 460, kLeft = 186, kRight = 448, kTop = 8, kRow = 20, kFoot = 40;
constexpr std::size_t kMostLetters = 26;

std::vector<IntervalRow> drawable(const IntervalPlot& plot) {
  std::vector<IntervalRow> rows;
  std::copy_if(plot.rows.begin(), plot.rows.end(), std::back_inserter(rows),
               [](const IntervalRow& row) { return std::isfinite(row.mean); });
  return rows;
}

Axis axis_of(const IntervalPlot& plot, const std::vector<IntervalRow>& rows) {
  double low = rows[0].mean, high = rows[0].mean;
  const auto show = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const IntervalRow& row : rows) {
    show(row.mean - row.half_width.value_or(0));
    show(row.mean + row.half_width.value_or(0));
    for (const double value : row.values) show(value);
  }
  if (plot.around) {
    show(*plot.around - plot.margin.value_or(0));
    show(*plot.around + plot.margin.value_or(0));
  }
  return round_axis(low, high, 5);
}

// From the end, where labels differ; cut between two characters of UTF-8.
std::string cut(const std::string& label) {
  if (label.size() <= kMostLetters) return escape(label);
  std::size_t from = label.size() - kMostLetters + 1;
  while (from < label.size() && (static_cast<unsigned char>(label[from]) & 0xC0) == 0x80) ++from;
  return "…" + escape(label.substr(from));
}

class Drawing {
 public:
  Drawing(const IntervalPlot& plot, const std::vector<IntervalRow>& rows)
      : plot_(plot), rows_(rows), axis_(axis_of(plot, rows)) {}

  double height() const { return bottom() + kFoot; }

  std::string svg() const {
    std::string svg = background();
    for (std::size_t i = 0; i < rows_.size(); ++i) svg += row(i);
    return svg;
  }

 private:
  double bottom() const { return kTop + kRow * static_cast<double>(rows_.size()); }
  double x(double value) const { return kLeft + (kRight - kLeft) * axis_.position(value); }

  std::string background() const {
    std::string svg;
    if (plot_.around && plot_.margin) {
      const double left = x(*plot_.around - *plot_.margin);
      svg += fmt::format(
          "<rect class=\"band0\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" "
          "height=\"{}\"><title>within "
          "the margin</title></rect>",
          left, kTop, x(*plot_.around + *plot_.margin) - left, bottom() - kTop);
    }
    for (const Tick& tick : axis_.ticks) {
      svg +=
          fmt::format("<path class=\"grid\" d=\"M{:.1f} {}V{}\"/>", x(tick.value), kTop, bottom());
      svg += fmt::format("<text class=\"below\" x=\"{:.1f}\" y=\"{}\">{}</text>", x(tick.value),
                         bottom() + 16, tick.label);
    }
    if (plot_.around)
      svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {}V{}\"/>", x(*plot_.around), kTop,
                         bottom());
    svg += fmt::format("<text class=\"below\" x=\"{}\" y=\"{}\">{}</text>", (kLeft + kRight) / 2,
                       bottom() + 33, escape(plot_.unit));
    return svg;
  }

  std::string row(std::size_t i) const {
    const IntervalRow& r = rows_[i];
    const double y = kTop + kRow * (static_cast<double>(i) + 0.5);
    std::string title = fmt::format("{}: {}", escape(r.label), number(r.mean));
    if (r.half_width) title += fmt::format(" ± {}", number(*r.half_width));
    std::string svg = fmt::format("<g class=\"series s0\"><title>{}</title>", title);
    svg += fmt::format("<text class=\"left\" x=\"{}\" y=\"{:.1f}\">{}</text>", kLeft - 8, y + 4,
                       cut(r.label));
    for (const double value : r.values)
      svg += fmt::format("<circle class=\"single\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>", x(value),
                         y);
    if (r.half_width)
      svg += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\"/>", x(r.mean - *r.half_width), y,
                         x(r.mean + *r.half_width));
    return svg + fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/></g>", x(r.mean), y);
  }

  const IntervalPlot& plot_;
  const std::vector<IntervalRow>& rows_;
  Axis axis_;
};

}  // namespace

std::string to_html(const IntervalPlot& plot) {
  const std::string head =
      fmt::format("<figure class=\"chart\"><figcaption><b>{}</b></figcaption>", escape(plot.title));
  const std::vector<IntervalRow> rows = drawable(plot);
  if (rows.empty()) return head + "<p class=\"none\">no values</p></figure>\n";
  const Drawing drawing(plot, rows);
  return head +
         fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kWidth,
                     drawing.height(), escape(plot.title)) +
         drawing.svg() + "</svg></figure>\n";
}

}  // namespace pare::report
