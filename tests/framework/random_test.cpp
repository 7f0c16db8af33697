// Counter-based randomness against Random123's known answers and the first moments of its
// distributions.
#include "framework/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace pare {

// Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
TEST_CASE("Philox gives Random123's known answers") {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("skip continues where that many draws would have ended") {
  for (const std::uint64_t count : {0, 1, 3, 4, 5, 16384, 99999}) {
    Random drawn(7, Stream::test, 1, 2), skipped(7, Stream::test, 1, 2);
    for (std::uint64_t i = 0; i < count; ++i) drawn.bits();
    skipped.skip(count);
    for (int i = 0; i < 9; ++i) CHECK(drawn.bits() == skipped.bits());
  }
}

TEST_CASE("seed, stream and both counters each give other numbers") {
  const auto first = [](std::uint64_t seed, Stream stream, std::uint64_t a, std::uint64_t b) {
    return Random(seed, stream, a, b).bits64();
  };
  const std::uint64_t base = first(1, Stream::test, 2, 3);
  CHECK(base == first(1, Stream::test, 2, 3));
  CHECK(base != first(2, Stream::test, 2, 3));
  CHECK(base != first(1 + (std::uint64_t{1} << 32), Stream::test, 2, 3));
  CHECK(base != first(1, Stream::shuffle, 2, 3));
  CHECK(base != first(1, Stream::test, 3, 3));
  CHECK(base != first(1, Stream::test, 2, 4));
}

TEST_CASE("uniform and normal have the moments of their distributions") {
  Random random(3, Stream::test);
  const int n = 200000;
  double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(), z = random.normal();
    CHECK_MESSAGE((u >= 0 && u < 1), u);
    sum += u;
    squares += u * u;
    normal_sum += z;
    normal_squares += z * z;
  }
  // Five standard errors.
  CHECK(std::abs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
  CHECK(std::abs(normal_sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(normal_squares / n - 1) < 5 * std::sqrt(2.0 / n));
}

TEST_CASE("below is uniform over a bound that is no power of two") {
  Random random(4, Stream::test);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 500);
}

TEST_CASE("a permutation holds every number once and depends on the seed") {
  std::vector<std::int32_t> order = permutation(1000, Random(5, Stream::shuffle, 1));
  CHECK(order != permutation(1000, Random(5, Stream::shuffle, 2)));
  CHECK(order == permutation(1000, Random(5, Stream::shuffle, 1)));
  std::sort(order.begin(), order.end());
  for (std::int32_t i = 0; i < 1000; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  CHECK(permutation(0, Random(5, Stream::shuffle)).empty());
}

}  // namespace pare
