// The weights of a layer as a kernel multiplies them.
#pragma once

#include <cstdint>

#include "compression/integer/operations.h"

namespace pare::integer {

// Weights with zero point removed and sign applied, in -255 .. 255.
class EffectiveWeights {
 public:
  EffectiveWeights(const Weights& weights, const Channels& channels, const WeightLayout& layout)
      : weights_(weights), channels_(channels), layout_(layout) {}

  std::int32_t operator()(std::int64_t channel, std::int64_t tap) const {
    const std::int64_t at =
        layout_.interleaved ? tap * layout_.outputs + channel : channel * layout_.taps + tap;
    const std::int32_t d = weights_.codes[at] - zero_point(weights_, channel);
    return !channels_.negate.empty() && channels_.negate[channel] != 0 ? -d : d;
  }
  std::int64_t sum(std::int64_t channel) const {
    std::int64_t sum = 0;
    for (std::int64_t tap = 0; tap < taps(); ++tap) sum += (*this)(channel, tap);
    return sum;
  }
  std::int64_t taps() const { return layout_.taps; }

 private:
  const Weights& weights_;
  const Channels& channels_;
  WeightLayout layout_;
};

}  // namespace pare::integer
