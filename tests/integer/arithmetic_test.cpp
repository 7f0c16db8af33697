// Requantization against its definition in 128-bit arithmetic: over every accumulator there is.
#include "compression/integer/arithmetic.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>

#include "framework/base/parallel.h"

namespace pare::integer {
namespace {

__extension__ using Int128 = __int128;

// floor(numerator / 2^bits): C++20 defines the shift of a negative number as just that.
Int128 floor_shift(Int128 numerator, int bits) { return numerator >> bits; }

// "once": the real product, to nearest, ties up: floor(p / 2^(31 - shift) + 1/2).
std::int64_t once_by_definition(std::int64_t accumulator, Multiplier m) {
  const int right = 31 - m.shift;
  return static_cast<std::int64_t>(
      floor_shift(Int128{accumulator} * m.value * 2 + (Int128{1} << right), right + 1));
}

// "twice": to nearest with ties up at 2^31, then to nearest with ties away from zero at 2^right.
std::int64_t twice_by_definition(std::int64_t accumulator, Multiplier m) {
  const int left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
  const Int128 product = Int128{accumulator} * (Int128{1} << left) * m.value;
  const Int128 high = floor_shift(product * 2 + (Int128{1} << 31), 32);
  const Int128 magnitude = high < 0 ? -high : high;
  const Int128 rounded = (magnitude * 2 + (Int128{1} << right)) >> (right + 1);
  return static_cast<std::int64_t>(high < 0 ? -rounded : rounded);
}

std::int64_t by_definition(std::int64_t accumulator, Multiplier m, Rounding rounding) {
  return rounding == Rounding::once ? once_by_definition(accumulator, m)
                                    : twice_by_definition(accumulator, m);
}

// How many of all 2^32 accumulators end differently. shift <= 0, so that every accumulator is
// legal; it and the rounding are template parameters because 2^32 times anything is long.
template <int kShift, Rounding kRounding>
std::int64_t differences_over_all_accumulators(std::int32_t value) {
  static_assert(kShift <= 0);
  constexpr std::int64_t kTile = std::int64_t{1} << 22;
  std::atomic<std::int64_t> differences{0};
  parallel_tiles(std::int64_t{1} << 32, kTile, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t here = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto accumulator = static_cast<std::int32_t>(i - (std::int64_t{1} << 31));
      const Multiplier m{value, kShift};
      here +=
          scale_accumulator(accumulator, m, kRounding) != by_definition(accumulator, m, kRounding);
    }
    differences += here;
  });
  return differences;
}

template <int kShift>
void check_all_accumulators(std::int32_t value) {
  CHECK(differences_over_all_accumulators<kShift, Rounding::twice>(value) == 0);
  CHECK(differences_over_all_accumulators<kShift, Rounding::once>(value) == 0);
}

TEST_CASE("the rounding witnesses end as published") {
  const Multiplier a{1583594044, -9}, b{1 << 30, -1}, c{1527099593, -6};
  CHECK(scale_accumulator(7984, a, Rounding::once) == 11);
  CHECK(scale_accumulator(7984, a, Rounding::twice) == 12);
  CHECK(scale_accumulator(1, b, Rounding::once) == 0);
  CHECK(scale_accumulator(1, b, Rounding::twice) == 1);
  CHECK(scale_accumulator(585, c, Rounding::once) == 7);
  CHECK(scale_accumulator(585, c, Rounding::twice) == 7);
}

TEST_CASE("every one of the 2^32 accumulators is rounded as defined, in both roundings") {
  check_all_accumulators<-9>(1583594044);
}

TEST_CASE("every accumulator under more multipliers (slow: set PARE_SLOW)") {
  if (std::getenv("PARE_SLOW") == nullptr) return;
  check_all_accumulators<0>(1 << 30);
  check_all_accumulators<0>(2147483647);
  check_all_accumulators<-1>(1073741825);
  check_all_accumulators<-16>(1518500250);
  check_all_accumulators<-31>(1 << 30);
  check_all_accumulators<-31>(2147483647);
}

TEST_CASE("every shift is rounded as defined at the ends, around zero and at ties") {
  for (int shift = -31; shift <= 30; ++shift) {
    const int left = shift > 0 ? shift : 0;
    const std::int64_t limit = std::int64_t{0x7FFFFFFF} >> left;
    for (const std::int32_t value :
         {1 << 30, (1 << 30) + 1, 1518500250, 2147483646, 2147483647, 0}) {
      for (int i = 0; i < 4000; ++i) {
        const std::int64_t near_power = (std::int64_t{1} << (i % 31)) + i / 31 % 9 - 4;
        const std::int64_t candidate = i % 2 != 0 ? near_power : limit - i;
        for (const std::int64_t accumulator : {candidate, -candidate}) {
          if (accumulator > limit || accumulator < -limit) continue;
          const auto a = static_cast<std::int32_t>(accumulator);
          const Multiplier m{value, shift};
          REQUIRE(scale_accumulator(a, m, Rounding::twice) == twice_by_definition(a, m));
          REQUIRE(scale_accumulator(a, m, Rounding::once) == once_by_definition(a, m));
        }
      }
    }
  }
}

TEST_CASE("averages are rounded to nearest with ties away from zero") {
  CHECK(average_codes(7, 2) == 4);
  CHECK(average_codes(-7, 2) == -4);
  CHECK(average_codes(5, 4) == 1);
  CHECK(average_codes(-6, 4) == -2);
  CHECK(average_codes(0, 9) == 0);
}

TEST_CASE("codes are clamped after the zero point is added, even at the ends of int32") {
  const Multiplier one{1 << 30, 1};
  CHECK(requantize(1 << 29, one, Rounding::twice, 127, -128, 127) == 127);
  CHECK(requantize(2147483647, {2147483647, 0}, Rounding::once, 127, -128, 127) == 127);
  CHECK(requantize(-2147483647, {2147483647, 0}, Rounding::twice, -128, -128, 127) == -128);
  CHECK(requantize(3, one, Rounding::twice, -5, -5, 127) == -2);
}

}  // namespace
}  // namespace pare::integer
