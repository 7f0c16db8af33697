// Means with their intervals, one line each, as inline SVG: for groups, and for differences beside
// 0.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pare::report {

struct IntervalRow {
  std::string label;
  double mean;
  std::optional<double> half_width = {};  // of the interval
  std::vector<double> values = {};        // single ones, faint behind it
};

struct IntervalPlot {
  std::string title;
  std::string unit;                   // below the axis: "accuracy.integer (%)"
  std::optional<double> around = {};  // a value that is marked: 0 for differences
  std::optional<double> margin = {};  // around it, as a band: what counts as no difference
  std::vector<IntervalRow> rows;
};

// A <figure>; rows that are not finite are left out, and a plot without any says so.
std::string to_html(const IntervalPlot& plot);

}  // namespace pare::report
