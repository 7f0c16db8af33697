// What is left of p values when many comparisons are made (Holm 1979, "A simple sequentially
// rejective multiple test procedure"): the chance that any of them is a false alarm stays below the
// level that the adjusted p are compared with, whatever their dependence.
#pragma once

#include <span>
#include <vector>

namespace pare {

// In the order given: the i-th smallest of m times m - i + 1, made monotone, at most 1.
std::vector<double> holm(std::span<const double> p);

}  // namespace pare
