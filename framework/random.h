// Counter-based randomness: every random number is a function of (seed, stream, first, second,
// position), so there is no state to save, and order, batches and threads cannot change it.
//
// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), checked
// against Random123's known answers. Own distributions: the standard library's differ between
// implementations.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pare {

// Who draws; two streams never share numbers.
enum class Stream : std::uint32_t {
  initialize = 1,  // first: hash of the parameter's path
  shuffle = 2,     // first: epoch
  augment = 3,     // first: epoch, second: image
  dropout = 4,     // first: step, second: hash of the node's name
  split = 5,       // validation split
  digits = 6,      // first: split, second: image
  calibrate = 7,   // choice of calibration images
  prune = 8,       // first: update, second: hash of the parameter's path
  round = 9,       // stochastic rounding; first: step, second: hash of the path
  test = 1000,
};

class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::uint64_t first = 0, std::uint64_t second = 0);

  std::uint32_t bits();  // 32 random bits
  std::uint64_t bits64();
  std::uint32_t below(std::uint32_t bound);  // uniform in [0, bound), unbiased (Lemire 2019)
  float uniform();                           // [0, 1), 24 bits
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  // As after `count` calls of bits() on a fresh Random; count / 4 below 2^32.
  void skip(std::uint64_t count);
  double normal();  // mean 0, variance 1 (Box-Muller)

 private:
  void refill();
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

// One Philox4x32-10 block.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

// FNV-1a, for `first` and `second`: a name's own stream whatever stands beside it.
std::uint32_t name_hash(std::string_view name);

// A permutation of 0 .. count-1 (Fisher-Yates).
std::vector<std::int32_t> permutation(std::int64_t count, Random random);
// The same, written over whatever `order` holds.
void permute(std::span<std::int32_t> order, Random random);

}  // namespace pare
