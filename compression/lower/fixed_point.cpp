#include "compression/lower/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>

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

integer::Multiplier divide_by_count(integer::Multiplier m, std::int64_t count) {
  int bits = 63 - std::countl_zero(static_cast<std::uint64_t>(count));
  bits = std::min({bits, 32, 31 + m.shift});
  m.value = static_cast<std::int32_t>((static_cast<std::int64_t>(m.value) << bits) / count);
  m.shift -= bits;
  return m;
}

}  // namespace pare
