// Misclassified images, small, each with what it is and what it was taken for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/lib/report/png.h"

namespace pare::report {

struct Mistake {
  std::int64_t index = 0;  // in the test images, from 0
  std::int32_t truth = 0, predicted = 0;
  double truth_score = 0, predicted_score = 0;  // logits
  Raster image;                                 // gray or rgb
};

// Shown in the order given.
std::string to_html(const std::vector<Mistake>& mistakes);

}  // namespace pare::report
