// Normalisation: what batch norm does to an element, with or without a rectifier behind it, and
// what of the output's gradient passes that rectifier. The kernels recompute the output from x, so
// that neither output nor masked gradient costs a pass over memory.
#pragma once

#include <cstdint>
#include <type_traits>

#include "framework/kernels/simd.h"
#include "framework/ops/rectifier.h"

namespace pare {

// y = (x - mean) * factor + shift, per channel; then the rectifier (a NaN stays one).
struct Normalisation {
  const float *mean, *factor, *shift;
  Rectifier rectifier = Rectifier::none;
};

// use(rectifier as a constant).
template <class Use>
void with_rectifier(Rectifier rectifier, const Use& use) {
  switch (rectifier) {
    case Rectifier::none:
      return use(std::integral_constant<Rectifier, Rectifier::none>());
    case Rectifier::relu:
      return use(std::integral_constant<Rectifier, Rectifier::relu>());
    case Rectifier::relu6:
      return use(std::integral_constant<Rectifier, Rectifier::relu6>());
  }
}

// One vector of channels, loaded once.
class NormalisedVector {
 public:
  NormalisedVector(const Normalisation& n, std::int64_t channel, simd::Mask mask)
      : mean_(simd::load(n.mean + channel, mask)),
        factor_(simd::load(n.factor + channel, mask)),
        shift_(simd::load(n.shift + channel, mask)) {}

  simd::Floats centred(simd::Floats x) const { return x - mean_; }
  template <Rectifier rectifier>
  simd::Floats output(simd::Floats x) const {
    simd::Floats y = (x - mean_) * factor_ + shift_;
    if constexpr (rectifier != Rectifier::none) y = y <= 0 ? simd::Floats{} : y;
    if constexpr (rectifier == Rectifier::relu6) y = y >= 6 ? simd::broadcast(6) : y;
    return y;
  }
  // dy where the rectifier lets it through.
  template <Rectifier rectifier>
  simd::Floats passed(simd::Floats dy, simd::Floats x) const {
    const simd::Floats y = output<Rectifier::none>(x);
    if constexpr (rectifier != Rectifier::none) dy = y <= 0 ? simd::Floats{} : dy;
    if constexpr (rectifier == Rectifier::relu6) dy = y >= 6 ? simd::Floats{} : dy;
    return dy;
  }
  simd::Floats factor() const { return factor_; }

 private:
  simd::Floats mean_, factor_, shift_;
};

}  // namespace pare
