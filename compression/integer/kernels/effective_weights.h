// The weights of a convolution or dense layer as a kernel multiplies them.
#pragma once

#include <cstdint>

#include "compression/integer/operations.h"

namespace pare::integer {

// Weights with zero point removed and sign applied, in -255 .. 255.
class EffectiveWeights {
 public:
  EffectiveWeights(const Weights& weights, const Channels& channels, const WeightLayout& layout)
      : weights_(weights), channels_(channels), taps_(layout.taps) {}

  std::int32_t operator()(std::int64_t channel, std::int64_t tap) const {
    const std::int32_t d = weights_.codes[channel * taps_ + tap] - zero_point(weights_, channel);
    return !channels_.negate.empty() && channels_.negate[channel] != 0 ? -d : d;
  }
  std::int64_t sum(std::int64_t channel) const {
    std::int64_t sum = 0;
    for (std::int64_t tap = 0; tap < taps_; ++tap) sum += (*this)(channel, tap);
    return sum;
  }
  std::int64_t taps() const { return taps_; }

 private:
  const Weights& weights_;
  const Channels& channels_;
  std::int64_t taps_;
};

}  // namespace pare::integer
