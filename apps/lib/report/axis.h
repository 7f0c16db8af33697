// The axes of a chart: from numbers to positions, and round numbers to write beside them.
#pragma once

#include <string>
#include <vector>

namespace pare::report {

enum class Scale { linear, logarithmic };

struct Tick {
  double value;
  std::string label;
};

struct Axis {
  Scale scale = Scale::linear;
  double low = 0, high = 1;  // low < high; above 0 where logarithmic
  std::vector<Tick> ticks = {};

  // 0 at low, 1 at high.
  double position(double value) const;
};

// Spans exactly [low, high], with at most `ticks` + 1 ticks at multiples of 1, 2 or 5 times a power
// of ten. An empty span is widened.
Axis exact_axis(double low, double high, int ticks);

// Widened to the ticks around [low, high].
Axis round_axis(double low, double high, int ticks);

// From power of ten to power of ten around [low, high]; low > 0.
Axis logarithmic_axis(double low, double high);

}  // namespace pare::report
