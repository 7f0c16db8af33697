// What a learned step or bound begins with: sums over the values that its quantizer is shown first.
// In training those are one tensor. A calibration shows all its batches in one pass, and none of
// them says more than the others, so they all count.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/parameter.h"
#include "framework/tensor/tensor.h"

namespace pare {

// Of one channel.
struct ChannelSums {
  double magnitudes = 0;  // of |x|
  double squares = 0;     // of x^2
  double largest = 0;     // |x|
  std::int64_t count = 0;
  std::int64_t nonzero = 0;

  void add(const ChannelSums& other);
  double mean() const;  // of |x|
  // Means over the values other than 0, and 0 where there are none: for weights, whose zeros are
  // those of a mask. 0 is on every grid, so it says nothing of a step or a bound.
  double mean_without_zeros() const;  // of |x|
  double root_mean_square_without_zeros() const;
};

// Per channel of `axis` (< 0: one), added in a fixed order.
std::vector<ChannelSums> channel_sums(const Tensor& x, int axis);

class FirstValues {
 public:
  // False, and nothing is added, where x comes too late: the quantizer is `ready`, and x is no
  // further batch of the calibration that made it so. No checkpoint lies within a calibration (one
  // that was stopped begins anew), so none needs these sums.
  bool add(const Tensor& x, int axis, const Pass& pass, bool ready);
  const std::vector<ChannelSums>& sums() const { return sums_; }

 private:
  std::vector<ChannelSums> sums_;
  std::uint64_t pass_ = 0;  // the id of the pass they are of
};

}  // namespace pare
