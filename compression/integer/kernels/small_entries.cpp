#include "compression/integer/kernels/small_entries.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

namespace pare::integer {
namespace {

constexpr std::int64_t kBytes = kPanel * kEntryTaps;

int largest_pair(const std::int8_t* weights) {
  int largest = 0;
  for (std::int64_t i = 0; i < kBytes; i += 2)
    largest = std::max(largest, std::abs(weights[i]) + std::abs(weights[i + 1]));
  return largest;
}

// The place in kSmallGroups of the largest group that entries of this kind may form; its size for
// entries that fit none.
std::size_t kind_of_entry(int pair) {
  const auto fits = [pair](int group) { return pair * group <= kSmallPair; };
  return static_cast<std::size_t>(std::find_if(kSmallGroups.begin(), kSmallGroups.end(), fits) -
                                  kSmallGroups.begin());
}

}  // namespace

void put_small_first(Tile& tile, std::vector<std::int32_t>& offsets,
                     AlignedVector<std::int8_t>& weights) {
  std::vector<std::size_t> kind;
  std::array<std::int64_t, kSmallGroups.size() + 1> count{};
  for (std::int64_t e = 0; e < tile.entries; ++e) {
    kind.push_back(kind_of_entry(largest_pair(&weights[tile.first_weight + e * kBytes])));
    ++count[kind.back()];
  }
  std::vector<std::int64_t> order(kind.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&kind](std::int64_t a, std::int64_t b) { return kind[a] < kind[b]; });
  // What is left of a kind when its groups are full goes to the next smaller ones.
  for (std::size_t k = 0; k < kSmallGroups.size(); ++k) {
    const std::int64_t rest = count[k] % kSmallGroups[k];
    tile.small[k] = count[k] - rest;
    count[k + 1] += rest;
  }
  const std::vector<std::int32_t> old_offsets(offsets.begin() + tile.first_entry, offsets.end());
  const std::vector<std::int8_t> old_weights(weights.begin() + tile.first_weight, weights.end());
  for (std::int64_t e = 0; e < tile.entries; ++e) {
    offsets[tile.first_entry + e] = old_offsets[order[e]];
    std::copy_n(old_weights.begin() + order[e] * kBytes, kBytes,
                weights.begin() + tile.first_weight + e * kBytes);
  }
}

bool order_in_pairs(const Tile& tile, AlignedVector<std::int8_t>& weights) {
  const std::int64_t small = tile.small_entries();
  for (std::int64_t e = small; e < tile.entries; ++e) {
    std::int8_t* const entry = weights.data() + tile.first_weight + e * kBytes;
    std::array<std::int8_t, kBytes> ordered;
    for (std::int64_t c = 0; c < kPanel; ++c) {
      for (std::int64_t tap = 0; tap < kEntryTaps; ++tap) {
        const std::int64_t group = c / 8 * 2 + tap / 2;
        ordered[group * 16 + c % 8 * 2 + tap % 2] = entry[c * kEntryTaps + tap];
      }
    }
    std::copy(ordered.begin(), ordered.end(), entry);
  }
  return tile.entries > small;
}

}  // namespace pare::integer
