// Histogram: how often values of each size passed by, positive and negative apart.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "compression/quantize/grid.h"
#include "framework/state.h"
#include "framework/tensor/tensor.h"

namespace pare {

class Histogram {
 public:
  static constexpr int kBins = 2048;  // on each side

  // Multiplies what was there by `keep` and adds the values of x. A value beyond the last bin
  // doubles the width of all bins, so that counts stay whole numbers where keep is 1. A value that
  // is not finite makes the range so too.
  void add(const Tensor& x, double keep);

  bool empty() const { return width_ == 0; }
  double width() const { return width_; }
  double count(bool positive, int bin) const;  // of values in [bin * width, (bin + 1) * width)
  Range range() const { return range_; }       // smallest and largest value so far

  void visit_state(const std::string& prefix, StateVisitor& visitor);

 private:
  void double_width();
  double width_ = 0;
  Range range_;
  std::vector<double> counts_;  // negative bins, then positive ones
};

}  // namespace pare
