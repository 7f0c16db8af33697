// What can be said from few seeds: means with intervals, paired comparisons, and what is left of
// them when many are made. Plain functions of numbers; nothing here knows of runs.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace pare {

struct Summary {
  int n = 0;
  double mean = 0;
  std::optional<double> deviation;   // standard deviation of the sample (n - 1); from n = 2
  std::optional<double> half_width;  // of the 95 % interval of the mean (Student's t); from n = 2
};

Summary summarize(std::span<const double> values);

// Twice the ranks of the values, the smallest first. Equal ones share their mean rank: twice that
// is whole.
std::vector<int> doubled_ranks(std::span<const double> values);

}  // namespace pare
