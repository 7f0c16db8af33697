// Histogram: how the values of a tensor are spread, exact zeros counted apart, because under a mask
// or behind a relu they would hide all else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pare::report {

struct Histogram {
  double low = 0, high = 0;               // smallest and largest value that is not 0
  std::vector<std::int64_t> counts = {};  // equal bins over [low, high]; empty where all are 0
  std::int64_t zeros = 0;                 // exact
  double sum = 0, sum_squares = 0;
  std::int64_t others() const;  // values that are not 0
};

// Values must be finite.
Histogram histogram(std::span<const float> values, int bins);

// Where a grid begins and ends; values outside are clamped.
struct Limits {
  double low, high;
};

// A small drawing with its smallest and largest value below. A dashed line where the grid ends
// inside the drawing.
std::string to_html(const Histogram& histogram, const std::optional<Limits>& grid);

}  // namespace pare::report
