// Random integer programs for tests: every operation, odd shapes, strides, paddings, groups, all
// bits, both weight schemes, negated channels, extreme codes. A program is a function of its seed,
// valid, and its multipliers are derived from its scales by the formulas of docs/arithmetic.md, so
// that independent readers can check those too.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "compression/integer/program.h"

namespace pare::integer {

// Raw bits of a standard generator: the library's distributions differ between implementations.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : bits_(seed) {}
  std::int32_t between(std::int32_t low, std::int32_t high) {  // both ends included
    const std::int64_t count = std::int64_t{high} - low + 1;
    return static_cast<std::int32_t>(
        low + static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(count)));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits_() >> 11) * 0x1p-53);
  }

 private:
  std::mt19937_64 bits_;
};

// The multiplier of a positive real number; value 0 below the smallest one.
Multiplier multiplier_of(double real);

// Which grids a random program draws from.
enum class Grids {
  all,
  // What plain 8-bit formats hold: symmetric weights, 8-bit activations, rounded twice.
  int8,
};

Program random_program(std::uint64_t seed, Grids grids = Grids::all);

// Codes inside the input's range, with both ends drawn often.
std::vector<std::int8_t> random_codes(const Program& program, std::int64_t images,
                                      std::uint64_t seed);

// Conv 3x3 (1 -> 8), max pool, Dense (-> 16), Dense (-> 10) on 28 x 28 with a pixel table: the
// shape of a real model.
Program small_cnn(std::uint64_t seed);

// A dense layer without any weight but zero: no other has as many codes in a byte of model.pare.
Program zero_weights(std::int32_t inputs, std::int32_t outputs);

}  // namespace pare::integer
