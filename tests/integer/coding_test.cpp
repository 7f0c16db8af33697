#include "compression/integer/coding.h"

#include <doctest/doctest.h>

#include <cmath>

#include "compression/integer/arithmetic_coder.h"
#include "framework/base/error.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

constexpr Coding kAll[] = {Coding::packed, Coding::bitmap, Coding::arithmetic};

Weights pruned_weights(Draw& draw, const WeightLayout& layout, int zero_percent) {
  Weights w;
  w.bits = draw.between(2, 8);
  w.affine = draw.chance(50);
  const std::int32_t low = lowest_code(w), high = highest_code(w);
  if (w.affine) {
    const std::int64_t count = draw.chance(50) ? layout.outputs : 1;
    for (std::int64_t c = 0; c < count; ++c) w.zero_points.push_back(draw.between(low, high));
  }
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int32_t zero = zero_point(w, layout.channel(i));
    w.codes.push_back(
        static_cast<std::int8_t>(draw.chance(zero_percent) ? zero : draw.between(low, high)));
  }
  return w;
}

TEST_CASE("every coding gives the codes back") {
  Draw draw(1);
  for (int trial = 0; trial < 400; ++trial) {
    const WeightLayout layout{draw.between(1, 20), draw.between(1, 90), draw.chance(30)};
    const Weights weights = pruned_weights(draw, layout, draw.between(0, 100));
    for (const Coding coding : kAll) {
      Weights decoded = weights;
      decoded.codes.clear();
      decode_codes(coding, encode_codes(coding, weights, layout), layout, "test", decoded);
      REQUIRE(decoded == weights);
    }
  }
}

TEST_CASE("too few, too many or too small bytes are refused by every coding") {
  Draw draw(2);
  for (int trial = 0; trial < 50; ++trial) {
    const WeightLayout layout{draw.between(1, 9), draw.between(1, 40), false};
    const Weights weights = pruned_weights(draw, layout, 50);
    for (const Coding coding : kAll) {
      const std::vector<std::byte> bytes = encode_codes(coding, weights, layout);
      Weights decoded = weights;
      std::vector<std::byte> longer = bytes;
      longer.push_back(std::byte{0});
      CHECK_THROWS_AS(decode_codes(coding, longer, layout, "test", decoded), DataError);
      const std::vector<std::byte> shorter(bytes.begin(), bytes.end() - 1);
      CHECK_THROWS_AS(decode_codes(coding, shorter, layout, "test", decoded), DataError);
      CHECK_THROWS_AS(decode_codes(coding, {}, layout, "test", decoded), DataError);
    }
  }
  Weights none;
  CHECK_THROWS_AS(decode_codes(static_cast<Coding>(3), {}, {1, 1}, "test", none), DataError);
  // 2^26 codes in 100 bytes: refused before anything is allocated.
  CHECK_THROWS_AS(
      decode_codes(Coding::arithmetic, std::vector<std::byte>(100), {1, 1 << 26}, "test", none),
      DataError);
  CHECK(none.codes.capacity() == 0);
}

TEST_CASE("random bytes decode to codes in range or are refused") {
  Draw draw(3);
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const WeightLayout layout{draw.between(1, 4), draw.between(1, 12), false};
    Weights weights = pruned_weights(draw, layout, 0);
    std::vector<std::byte> bytes(draw.between(0, 60));
    for (std::byte& b : bytes) b = static_cast<std::byte>(draw.between(0, 255));
    try {
      decode_codes(kAll[trial % 3], bytes, layout, "test", weights);
      for (const std::int8_t code : weights.codes) {
        REQUIRE((code >= lowest_code(weights) && code <= highest_code(weights)));
      }
    } catch (const DataError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

// The price of 5 % unstructured survivors: entropy of the flags, one sign, a magnitude spread
// evenly over 127 values.
TEST_CASE("the arithmetic coding comes within 3 % of the entropy") {
  Draw draw(4);
  const WeightLayout layout{100, 2000, false};
  Weights weights;
  std::int64_t nonzero = 0;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int32_t code =
        draw.chance(5) ? draw.between(1, 127) * (draw.chance(50) ? 1 : -1) : 0;
    weights.codes.push_back(static_cast<std::int8_t>(code));
    nonzero += code != 0;
  }
  const double p = static_cast<double>(nonzero) / static_cast<double>(layout.count());
  const double flag = -p * std::log2(p) - (1 - p) * std::log2(1 - p);
  const double entropy = (layout.count() * flag + nonzero * (1 + std::log2(127))) / 8;
  const auto size = static_cast<double>(encode_codes(Coding::arithmetic, weights, layout).size());
  CHECK(size >= 0.99 * entropy);
  CHECK(size <= 1.03 * entropy);
}

TEST_CASE("a byte holds at most 452 codes") {
  Weights weights;
  const WeightLayout layout{1000, 1000, false};
  weights.codes.assign(layout.count(), 0);
  const auto size = std::ssize(encode_codes(Coding::arithmetic, weights, layout));
  CHECK(layout.count() / size >= 430);
  CHECK(layout.count() / size <= 452);
}

}  // namespace
}  // namespace pare::integer
