// Requantization in the form that vector kernels compute: one product, two sums and one shift of 64
// bits, whichever way the program rounds.
//
//   code = ((acc * value + nudge - (acc < 0 ? correction : 0)) >> right) + zero point, clamped
//
// Derivation, with s = shift of the multiplier and floor((floor(A / 2^a) + B) / 2^b) =
// floor((A + B * 2^a) / 2^(a + b)):
//
// clang-format off
//   value 0         right = 32, all else 0
//   once            right = 31 - s, nudge = 2^(right - 1), by definition
//   twice, s >= 0   right = 31 - s, nudge = 2^(right - 1): the left shift moves into `right`
//   twice, e = -s   right = 31 + e, nudge = 2^30 + 2^(30 + e), correction = 2^31
// clang-format on
// The correction is what makes ties of the second rounding go away from zero. It must be applied
// where the *first* result is negative; where that is 0 although acc < 0, applying it changes
// nothing. Of a negative acc the code is at most the zero point, with the correction or without:
// where codes below the zero point are clamped (behind a relu) it may be left out.
//
// A bias with f bits behind the point makes acc = sum * 2^f + rest, 0 <= rest < 2^f, where kernels
// know the sum, in which the bits before the point are. With the same derivation
//   code = (sum * value + floor((rest * value + nudge) / 2^f) - (sum < 0 ? correction / 2^f : 0))
//          >> (right - f):
// the form above with other constants, for acc < 0 is sum < 0, and 2^31 is divisible by 2^f.
#pragma once

#include <cstdint>

#include "compression/integer/arithmetic.h"

namespace pare::integer {

inline constexpr int kPanel = 16;  // output channels that kernels treat together

struct Scaling {
  std::int64_t value, nudge, correction, right;
};
Scaling make_scaling(Multiplier m, Rounding rounding);
// Of sums without the last `fraction_bits` of an accumulator, which are `rest`.
Scaling make_scaling(Multiplier m, Rounding rounding, std::int32_t fraction_bits,
                     std::int32_t rest);

// The scalings of 16 channels: the eight even ones first, then the eight odd ones, as the 64-bit
// lanes of a vector of 32-bit accumulators hold them.
struct alignas(64) PanelScaling {
  std::int64_t value[kPanel], nudge[kPanel], correction[kPanel], right[kPanel];
  // Where every `right` is at least 32, the result is in the high halves of the sums: those in the
  // order of channels, shifted by right - 32, are it.
  std::int32_t high_right[kPanel];
  bool high = true;

  static constexpr int slot(int channel) { return channel / 2 + channel % 2 * (kPanel / 2); }
  void set(int channel, const Scaling& scaling);
};

// For instruction sets with too few registers to keep a panel's scaling in them.
template <class Isa>
struct ScalingInMemory {
  const PanelScaling& panel;
  explicit ScalingInMemory(const PanelScaling& s) : panel(s) {}
  auto operator()(const auto& sum) const { return Isa::scale(sum, panel); }
};

// How scaled accumulators become codes, the same for all channels of a layer.
struct CodeRange {
  std::int32_t zero_point, low, high;
  bool positive() const { return low >= zero_point; }
};

}  // namespace pare::integer
