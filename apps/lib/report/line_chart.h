// Curves over time as inline SVG: series with a legend, phases as bands behind them, labelled axes.
// Colours are classes of the page's style sheet (style.h), so one chart serves light and dark.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/report/axis.h"

namespace pare::report {

struct Point {
  double x, y;
};

// At most four series a chart; they differ in colour and in dashes. Markers where the points are
// few enough to be told apart, each with its numbers as a tooltip.
struct Series {
  std::string label;  // "": the chart's title says it all
  std::vector<Point> points;
  bool markers = true;
};

// A stretch of the x axis with a name; an empty one is a line.
struct Band {
  std::string label;
  double begin, end;
};

struct LineChart {
  std::string title;    // with the unit: "accuracy (%)"
  std::string x_label;  // "epoch"
  Scale scale = Scale::linear;
  std::vector<Series> series;
  std::vector<Band> bands;              // they cover the x axis
  std::optional<double> mark = {};      // a vertical line
  std::string mark_label = {};          // what it says
  std::optional<double> shows = {};     // a value that a linear y axis must reach: 0 for a rate
  std::optional<double> at_least = {};  // bounds of what y can be
  std::optional<double> at_most = {};
};

// A <figure>. Points that are not finite are left out; a chart without any says so.
std::string to_html(const LineChart& chart);

}  // namespace pare::report
