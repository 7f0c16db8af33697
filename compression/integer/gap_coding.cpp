#include "compression/integer/gap_coding.h"

#include <limits>
#include <optional>

#include "compression/integer/bit_stream.h"
#include "compression/integer/huffman.h"
#include "framework/base/error.h"

namespace pare::integer {
namespace {

// visit(gap, code - lowest) for every entry.
template <class Visit>
void for_entries(const Weights& weights, const WeightLayout& layout, int gap_bits,
                 const Visit& visit) {
  const std::uint32_t largest = (1u << gap_bits) - 1;
  std::uint32_t gap = 0;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int32_t code = weights.codes[i];
    const bool zero = code == zero_point(weights, layout.channel(i));
    if (zero && gap < largest && i + 1 < layout.count()) {
      ++gap;
      continue;
    }
    visit(gap, static_cast<std::uint32_t>(code - lowest_code(weights)));
    gap = 0;
  }
}

// Fills weights.codes from entries; next() gives (gap, code - lowest) or nothing where bits are
// missing or wrong.
template <class Next>
void fill(const WeightLayout& layout, const std::string& what, Weights& weights, const Next& next) {
  const std::int64_t count = layout.count();
  const std::int32_t lowest = lowest_code(weights);
  weights.codes.resize(static_cast<std::size_t>(count));
  std::uint32_t gap = 0, code = 0;
  for (std::int64_t i = 0; i < count;) {
    if (!next(gap, code))
      throw DataError(what + ": the coded bytes end or are wrong at code " + std::to_string(i));
    if (gap >= count - i) throw DataError(what + ": a gap leads behind the last code");
    for (; gap > 0; --gap, ++i) {
      weights.codes[i] = static_cast<std::int8_t>(zero_point(weights, layout.channel(i)));
    }
    weights.codes[i++] = static_cast<std::int8_t>(static_cast<std::int32_t>(code) + lowest);
  }
}

int read_gap_bits(std::span<const std::byte> bytes, int smallest, const std::string& what) {
  const int gap_bits = bytes.empty() ? -1 : static_cast<int>(bytes[0]);
  if (gap_bits >= smallest && gap_bits <= kMostGapBits) return gap_bits;
  throw DataError(what + ": gaps have " + std::to_string(gap_bits) + " bits, expected " +
                  std::to_string(smallest) + " .. " + std::to_string(kMostGapBits));
}

// Before anything is allocated: no entry takes fewer than `bits` bits.
void expect_room(const WeightLayout& layout, std::span<const std::byte> bytes, int gap_bits,
                 int bits, const std::string& what) {
  if (layout.count() <= (std::ssize(bytes) * 8 / bits) << gap_bits) return;
  throw DataError(what + ": " + std::to_string(bytes.size()) + " bytes cannot hold " +
                  std::to_string(layout.count()) + " codes");
}

void expect_end(const BitReader& reader, const std::string& what) {
  if (reader.left() >= 8 || !reader.rest_is_zero()) {
    throw DataError(what + ": the coded bytes do not end with the last code");
  }
}

// A stream of entries with the gap bits in front, written for every number of gap bits; the
// smallest.
template <class Encode>
std::vector<std::byte> smallest_of(int least, const Encode& encode) {
  std::vector<std::byte> best;
  for (int gap_bits = least; gap_bits <= kMostGapBits; ++gap_bits) {
    BitWriter writer;
    writer.write(static_cast<std::uint32_t>(gap_bits), 8);
    encode(gap_bits, writer);
    std::vector<std::byte> bytes = writer.take();
    if (best.empty() || bytes.size() < best.size()) best = std::move(bytes);
  }
  return best;
}

}  // namespace

std::vector<std::byte> encode_relative_index(const Weights& weights, const WeightLayout& layout) {
  return smallest_of(1, [&](int gap_bits, BitWriter& writer) {
    for_entries(weights, layout, gap_bits, [&](std::uint32_t gap, std::uint32_t code) {
      writer.write(gap, gap_bits);
      writer.write(code, weights.bits);
    });
  });
}

void decode_relative_index(std::span<const std::byte> bytes, const WeightLayout& layout,
                           const std::string& what, Weights& weights) {
  const int gap_bits = read_gap_bits(bytes, 1, what);
  expect_room(layout, bytes, gap_bits, gap_bits + weights.bits, what);
  BitReader reader(bytes.subspan(1));
  fill(layout, what, weights, [&](std::uint32_t& gap, std::uint32_t& code) {
    if (reader.left() < gap_bits + weights.bits) return false;
    gap = reader.read(gap_bits);
    code = reader.read(weights.bits);
    return true;
  });
  expect_end(reader, what);
}

std::vector<std::byte> encode_huffman(const Weights& weights, const WeightLayout& layout) {
  return smallest_of(0, [&](int gap_bits, BitWriter& writer) {
    std::vector<std::uint64_t> gap_counts(std::size_t{1} << gap_bits),
        code_counts(std::size_t{1} << weights.bits);
    for_entries(weights, layout, gap_bits, [&](std::uint32_t gap, std::uint32_t code) {
      ++gap_counts[gap];
      ++code_counts[code];
    });
    const HuffmanCode gaps = HuffmanCode::of(gap_counts), codes = HuffmanCode::of(code_counts);
    if (gap_bits > 0) gaps.write(writer);
    codes.write(writer);
    for_entries(weights, layout, gap_bits, [&](std::uint32_t gap, std::uint32_t code) {
      if (gap_bits > 0) gaps.encode(writer, gap);
      codes.encode(writer, code);
    });
  });
}

void decode_huffman(std::span<const std::byte> bytes, const WeightLayout& layout,
                    const std::string& what, Weights& weights) {
  const int gap_bits = read_gap_bits(bytes, 0, what);
  expect_room(layout, bytes, gap_bits, gap_bits > 0 ? 2 : 1, what);
  BitReader reader(bytes.subspan(1));
  std::optional<HuffmanCode> gaps;
  if (gap_bits > 0) gaps = HuffmanCode::read(reader, std::size_t{1} << gap_bits);
  const auto codes = HuffmanCode::read(reader, std::size_t{1} << weights.bits);
  if ((gap_bits > 0 && !gaps) || !codes) throw DataError(what + ": its Huffman codes are none");
  fill(layout, what, weights, [&](std::uint32_t& gap, std::uint32_t& code) {
    const auto zeros = gaps ? gaps->decode(reader) : std::optional<std::uint32_t>(0);
    const auto symbol = zeros ? codes->decode(reader) : std::nullopt;
    if (!symbol) return false;
    gap = *zeros;
    code = *symbol;
    return true;
  });
  expect_end(reader, what);
}

}  // namespace pare::integer
