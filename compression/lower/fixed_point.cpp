#include "compression/lower/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace pare {

std::optional<integer::Multiplier> fixed_point(double m) {
  if (m == 0) return integer::Multiplier{0, 0};
  int shift = 0;
  const double mantissa = std::frexp(m, &shift);  // in [0.5, 1)
  auto value = static_cast<std::int64_t>(std::round(mantissa * 0x1p31));
  if (value == std::int64_t{1} << 31) {
    value >>= 1;
    ++shift;
  }
  if (shift < -31) return integer::Multiplier{0, 0};
  if (shift > 30) return std::nullopt;
  return integer::Multiplier{static_cast<std::int32_t>(value), shift};
}

float fitting_scale(float scale, double product, std::int64_t bound) {
  constexpr std::int64_t kLimit = std::numeric_limits<std::int32_t>::max();
  const auto m = fixed_point(product / static_cast<double>(scale));
  const bool fits = m && bound <= (kLimit >> std::max(m->shift, 0));
  if (fits) return scale;
  int shift = 0;
  while (shift < 30 && bound <= (kLimit >> (shift + 1))) ++shift;
  // A little more, so that the mantissa does not round up to the next power of two.
  return static_cast<float>(std::ldexp(product, -shift) * (1 + 0x1p-20));
}

integer::Multiplier divide_by_count(integer::Multiplier m, std::int64_t count) {
  int bits = 63 - std::countl_zero(static_cast<std::uint64_t>(count));
  bits = std::min({bits, 32, 31 + m.shift});
  m.value = static_cast<std::int32_t>((static_cast<std::int64_t>(m.value) << bits) / count);
  m.shift -= bits;
  return m;
}

}  // namespace pare
