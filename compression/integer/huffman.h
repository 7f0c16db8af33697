// Huffman codes: each symbol gets a number of bits by how often it occurs (Huffman 1952), the bits
// themselves follow from those numbers (canonical: shorter first, then by symbol), so that a file
// holds the numbers only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compression/integer/bit_stream.h"

namespace pare::integer {

inline constexpr int kLongestCode = 15;  // four bits hold a length

class HuffmanCode {
 public:
  // Optimal for these counts, but for codes that would be longer than kLongestCode: counts are
  // halved (rounded up) until none is. A symbol that is alone has one bit; one that does not occur
  // has none.
  static HuffmanCode of(std::vector<std::uint64_t> counts);

  // The lengths of `symbols` symbols, four bits each. Nothing where there are too few bits, or
  // where the lengths are not those of a complete code (or of a single symbol with one bit).
  static std::optional<HuffmanCode> read(BitReader& reader, std::size_t symbols);
  void write(BitWriter& writer) const;

  int length(std::uint32_t symbol) const { return lengths_[symbol]; }
  void encode(BitWriter& writer, std::uint32_t symbol) const;
  // Nothing where the bits end, or are those of no symbol.
  std::optional<std::uint32_t> decode(BitReader& reader) const;

 private:
  explicit HuffmanCode(std::vector<std::uint8_t> lengths);

  std::vector<std::uint8_t> lengths_;
  std::vector<std::uint32_t> codes_;    // of a symbol, first bit lowest
  std::vector<std::uint32_t> ordered_;  // symbols in the order of their codes
  // Of each length: how many symbols, their first code, and where they begin in ordered_.
  std::uint32_t count_[kLongestCode + 1] = {}, first_[kLongestCode + 1] = {},
                                      begin_[kLongestCode + 1] = {};
};

}  // namespace pare::integer
