// Which of an instruction set's ways to requantize a call can use (scaling.h).
//
// clang-format off
//   Isa::AnyScaling       any multiplier
//   Isa::HighScaling      every `right` is at least 32
//   Isa::PositiveScaling  that, and codes below the zero point are clamped anyway
// clang-format on
//
// Each is made from a PanelScaling and turns sums into codes without the zero point. One type may
// be all three.
#pragma once

#include <type_traits>

#include "compression/integer/kernels/scaling.h"

namespace pare::integer {

// body.operator()<the cheapest form>().
template <class Isa, class Body>
inline void with_scaling(bool high, const CodeRange& range, const Body& body) {
  if constexpr (!std::is_same_v<typename Isa::AnyScaling, typename Isa::HighScaling>) {
    if (high && range.positive()) {
      return body.template operator()<typename Isa::PositiveScaling>();
    }
    if (high) return body.template operator()<typename Isa::HighScaling>();
  }
  body.template operator()<typename Isa::AnyScaling>();
}

}  // namespace pare::integer
