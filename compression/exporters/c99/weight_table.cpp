#include "compression/exporters/c99/weight_table.h"

#include <algorithm>
#include <bit>
#include <set>
#include <string>

namespace pare {
namespace {

constexpr int kMostGapBits = 8;  // the decoder takes at most 8 bits at once, 9 of a code

class BitStream {
 public:
  void write(std::uint32_t value, int bits) {
    for (int i = 0; i < bits; ++i, ++used_) {
      if (used_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() |= static_cast<std::uint8_t>(((value >> i) & 1) << (used_ % 8));
    }
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint64_t used_ = 0;
};

void write_gap(BitStream& stream, std::int64_t zeros, int bits) {
  if (bits == 0) return;
  const std::int64_t most = (1 << bits) - 1;
  for (; zeros >= most; zeros -= most) stream.write(static_cast<std::uint32_t>(most), bits);
  stream.write(static_cast<std::uint32_t>(zeros), bits);
}

// Chooses code_bits and, where a run of numbers does not do, levels.
void choose_codes(WeightTable& table) {
  std::set<std::int32_t> distinct(table.values.begin(), table.values.end());
  if (table.gap_bits > 0) distinct.erase(0);
  if (distinct.empty()) return;
  table.code_bits = std::bit_width(distinct.size() - 1);
  table.lowest = *distinct.begin();
  const std::int64_t span = std::int64_t{*distinct.rbegin()} - table.lowest;
  if (span >= std::int64_t{1} << table.code_bits) {
    table.levels.assign(distinct.begin(), distinct.end());
  }
}

std::uint32_t code_of(const WeightTable& table, std::int32_t value) {
  if (table.levels.empty()) return static_cast<std::uint32_t>(value - table.lowest);
  const auto at = std::lower_bound(table.levels.begin(), table.levels.end(), value);
  return static_cast<std::uint32_t>(at - table.levels.begin());
}

WeightTable stream_of(const std::vector<std::int32_t>& values, int gap_bits) {
  WeightTable table;
  table.plain = false;
  table.values = values;
  table.gap_bits = gap_bits;
  choose_codes(table);
  BitStream stream;
  std::int64_t zeros = 0;
  bool first = true;
  std::int32_t pending = 0;
  // A weight is written once the zeros in front of it are.
  for (const std::int32_t value : values) {
    if (gap_bits > 0 && value == 0) {
      ++zeros;
      continue;
    }
    if (!first) stream.write(code_of(table, pending), table.code_bits);
    write_gap(stream, zeros, gap_bits);
    first = false;
    pending = value;
    zeros = 0;
  }
  if (!first) stream.write(code_of(table, pending), table.code_bits);
  write_gap(stream, zeros, gap_bits);
  table.stream = stream.take();
  if (table.stream.empty()) table.stream = {0};  // all weights are equal; C has no empty arrays
  return table;
}

}  // namespace

std::int64_t WeightTable::bytes(int value_bytes) const {
  const std::size_t count = plain ? values.size() : levels.size();
  return static_cast<std::int64_t>(count) * value_bytes + static_cast<std::int64_t>(stream.size());
}

std::vector<std::int32_t> effective_weights(const integer::Weights& weights,
                                            const integer::Channels& channels,
                                            const integer::WeightLayout& layout) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(layout.count()));
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int64_t c = layout.channel(i);
    const std::int64_t tap = layout.interleaved ? i / layout.outputs : i % layout.taps;
    const std::int32_t d =
        weights.codes[static_cast<std::size_t>(i)] - integer::zero_point(weights, c);
    const bool negated =
        !channels.negate.empty() && channels.negate[static_cast<std::size_t>(c)] != 0;
    values[static_cast<std::size_t>(c * layout.taps + tap)] = negated ? -d : d;
  }
  return values;
}

bool fit_int8(const std::vector<std::int32_t>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](std::int32_t v) { return v >= -128 && v <= 127; });
}

WeightTable smallest_stream(std::vector<std::int32_t> values, int value_bytes) {
  WeightTable best = stream_of(values, 0);
  for (int gap_bits = 1; gap_bits <= kMostGapBits; ++gap_bits) {
    WeightTable table = stream_of(values, gap_bits);
    if (table.bytes(value_bytes) < best.bytes(value_bytes)) best = std::move(table);
  }
  return best;
}

std::string describe(const WeightTable& table, int value_bytes) {
  if (table.plain) return "int" + std::to_string(8 * value_bytes);
  const std::string codes = std::to_string(table.code_bits) +
                            (table.code_bits == 1 ? " bit" : " bits") +
                            (table.levels.empty() ? "" : ", levels");
  if (table.gap_bits == 0) return codes;
  if (table.gap_bits == 1) return "bitmap, " + codes;
  return "gaps of " + std::to_string(table.gap_bits) + ", " + codes;
}

}  // namespace pare
