// Normalisation: what batch norm does to an element, with or without a relu behind it, and what of
// the output's gradient passes that relu. The kernels recompute the sign of the output from x, so
// that neither output nor masked gradient costs a pass over memory.
#pragma once

#include <cstdint>

#include "framework/kernels/simd.h"

namespace pare {

// y = (x - mean) * factor + shift, per channel; then max(y, 0) where `relu` (a NaN stays one).
struct Normalisation {
  const float *mean, *factor, *shift;
  bool relu = false;
};

// One vector of channels, loaded once.
class NormalisedVector {
 public:
  NormalisedVector(const Normalisation& n, std::int64_t channel, simd::Mask mask)
      : mean_(simd::load(n.mean + channel, mask)),
        factor_(simd::load(n.factor + channel, mask)),
        shift_(simd::load(n.shift + channel, mask)) {}

  simd::Floats centred(simd::Floats x) const { return x - mean_; }
  simd::Floats before_relu(simd::Floats x) const { return (x - mean_) * factor_ + shift_; }
  // dy where the relu lets it through.
  simd::Floats passed(simd::Floats dy, simd::Floats x) const {
    return before_relu(x) <= 0 ? simd::Floats{} : dy;
  }
  simd::Floats factor() const { return factor_; }

 private:
  simd::Floats mean_, factor_, shift_;
};

}  // namespace pare
