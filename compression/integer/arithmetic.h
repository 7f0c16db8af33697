// The integer arithmetic of requantization: the one place where an accumulator becomes a code.
//
// Shared by the engine, the exact evaluation of the training graph and (as text) the C exporter.
// Integers only. Formulas: TensorFlow Lite's reference kernels / gemmlowp (Jacob et al. 2018,
// arXiv:1712.05877, section 2.3 and appendix), written down from their definitions;
// docs/arithmetic.md derives them.
#pragma once

#include <cstdint>
#include <limits>

namespace pare::integer {

// How an accumulator is rounded; a property of the whole program.
//   twice: saturating rounding doubling high multiply, then rounding divide by a power of two (ties
//   away from zero). once:  one 64-bit multiply, add half, shift (ties up).
enum class Rounding : std::uint8_t { twice = 0, once = 1 };

// A positive real number as value * 2^(shift - 31), value in [2^30, 2^31) or 0, shift in [-31, 30].
struct Multiplier {
  std::int32_t value = 0;
  std::int32_t shift = 0;
  bool operator==(const Multiplier&) const = default;
};

// (a * b) / 2^31, to nearest, ties towards +infinity; saturates the one case that does not fit.
constexpr std::int32_t rounding_doubling_high_multiply(std::int32_t a, std::int32_t b) {
  if (a == b && a == std::numeric_limits<std::int32_t>::min()) {
    return std::numeric_limits<std::int32_t>::max();
  }
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >>
                                   31);
}

// x / 2^exponent, to nearest, ties away from zero. exponent in [0, 31].
constexpr std::int32_t rounding_divide_by_power_of_two(std::int32_t x, int exponent) {
  const std::int64_t mask = (std::int64_t{1} << exponent) - 1;
  const std::int64_t remainder = x & mask;
  const std::int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<std::int32_t>((static_cast<std::int64_t>(x) >> exponent) +
                                   (remainder > threshold ? 1 : 0));
}

// The accumulator times the multiplier, rounded. The program proves that accumulator * 2^max(shift,
// 0) fits int32 (validate.h), so nothing wraps here.
constexpr std::int32_t scale_accumulator(std::int32_t accumulator, Multiplier m,
                                         Rounding rounding) {
  if (rounding == Rounding::once) {
    const int right = 31 - m.shift;
    return static_cast<std::int32_t>(
        (static_cast<std::int64_t>(accumulator) * m.value + (std::int64_t{1} << (right - 1))) >>
        right);
  }
  const int left = m.shift > 0 ? m.shift : 0;
  const int right = m.shift > 0 ? 0 : -m.shift;
  const auto shifted =
      static_cast<std::int32_t>(static_cast<std::int64_t>(accumulator) * (std::int64_t{1} << left));
  return rounding_divide_by_power_of_two(rounding_doubling_high_multiply(shifted, m.value), right);
}

constexpr std::int32_t clamp_code(std::int64_t code, std::int32_t low, std::int32_t high) {
  return static_cast<std::int32_t>(code < low ? low : code > high ? high : code);
}

// Accumulator -> code: scaled, moved to the output's zero point, clamped to its range.
constexpr std::int32_t requantize(std::int32_t accumulator, Multiplier m, Rounding rounding,
                                  std::int32_t zero_point, std::int32_t low, std::int32_t high) {
  return clamp_code(std::int64_t{scale_accumulator(accumulator, m, rounding)} + zero_point, low,
                    high);
}

// Sum of `count` codes -> their average, to nearest, ties away from zero. The zero point stays in
// (input and output share it).
constexpr std::int32_t average_codes(std::int32_t sum, std::int32_t count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

// The left shift that both operands of an addition get before they are scaled, for 8-bit codes.
inline constexpr int kAddLeftShift = 20;

}  // namespace pare::integer
