// The confusion matrix: how often images of one class were taken for another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare::report {

struct Confusion {
  int classes = 0;
  std::vector<std::int64_t> counts;  // classes x classes: true class (row), predicted (column)
  std::int64_t at(int truth, int predicted) const {
    return counts[static_cast<std::size_t>(truth * classes + predicted)];
  }
};

// Labels are 0 .. classes-1.
Confusion confusion(std::span<const std::int32_t> truth, std::span<const std::int32_t> predicted,
                    int classes);

// The matrix as a table (as a picture where there are too many classes to read one), recall and
// precision of each class, and the pairs that are mixed up most.
std::string to_html(const Confusion& confusion);

}  // namespace pare::report
