// Points in a plane as inline SVG, each with a name; some of them may be joined by a line.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/report/axis.h"

namespace pare::report {

struct ScatterPoint {
  double x, y;
  std::string label;      // a tooltip
  bool on_front = false;  // set apart, and joined in the order of x
};

struct Scatter {
  std::string title;
  std::string x_label, y_label;
  Scale x_scale = Scale::linear;
  bool marks_zero = false;  // lines at 0, where the axes reach it
  std::vector<ScatterPoint> points;
};

// A <figure>; points that are not finite (or not above 0 on a logarithmic axis) are left out.
std::string to_html(const Scatter& scatter);

}  // namespace pare::report
