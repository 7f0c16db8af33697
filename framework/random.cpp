#include "framework/random.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "framework/base/error.h"

namespace pare {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c,
                                    std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

// Counter words: block, first, second, and the stream together with what of `first` and `second`
// exceeds 32 bits.
Random::Random(std::uint64_t seed, Stream stream, std::uint64_t first, std::uint64_t second)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(stream)} {
  PARE_ENSURE(first >> 32 == 0 && second >> 32 == 0);
}

void Random::refill() {
  block_ = philox(counter_, key_);
  ++counter_[0];
  used_ = 0;
}

void Random::skip(std::uint64_t count) {
  counter_[0] = static_cast<std::uint32_t>(count / 4);
  refill();
  used_ = static_cast<int>(count % 4);
}

std::uint32_t Random::bits() {
  if (used_ == 4) refill();
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint64_t Random::bits64() {
  const std::uint64_t high = bits();
  return high << 32 | bits();
}

std::uint32_t Random::below(std::uint32_t bound) {
  PARE_ENSURE(bound > 0);
  std::uint64_t product = std::uint64_t{bits()} * bound;
  if (auto low = static_cast<std::uint32_t>(product); low < bound) {
    const std::uint32_t threshold = (0u - bound) % bound;
    while (low < threshold) {
      product = std::uint64_t{bits()} * bound;
      low = static_cast<std::uint32_t>(product);
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

float Random::uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }

double Random::normal() {
  const double u =
      (static_cast<double>(bits()) + 1.0) * 0x1p-32;  // (0, 1]: the logarithm is finite
  const double v = static_cast<double>(bits()) * 0x1p-32;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::uint32_t name_hash(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::vector<std::int32_t> permutation(std::int64_t count, Random random) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(count));
  permute(order, random);
  return order;
}

void permute(std::span<std::int32_t> order, Random random) {
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;) {
    const auto j = random.below(static_cast<std::uint32_t>(i + 1));
    std::swap(order[i], order[j]);
  }
}

}  // namespace pare
