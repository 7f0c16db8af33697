#include "compression/integer/coding.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "compression/integer/arithmetic_coder.h"
#include "compression/integer/bit_stream.h"
#include "compression/integer/gap_coding.h"
#include "framework/base/error.h"

namespace pare::integer {
namespace {

constexpr std::int64_t kMostCodesPerByte = 452;  // BitModel::probability

void expect_size(const std::string& what, std::span<const std::byte> bytes, std::int64_t expected) {
  if (std::ssize(bytes) == expected) return;
  throw DataError(what + ": the codes take " + std::to_string(bytes.size()) + " bytes, expected " +
                  std::to_string(expected));
}

void expect_zero_rest(const std::string& what, const BitReader& reader) {
  if (!reader.rest_is_zero())
    throw DataError(what + ": the bits behind the last code are not zero");
}

// What encoder and decoder of the arithmetic coding share: which adaptive probability codes which
// bit. The flag of a code depends on how many of the last 8 codes, and of the 8 codes above it,
// were not zero: pruned layers have sparse rows and sparse columns.
class CodeModel {
 public:
  CodeModel(const Weights& weights, const WeightLayout& layout)
      : above_(std::min(layout.row(), layout.count()), 0),
        levels_(weights.affine ? weights.bits : weights.bits - 1),
        magnitudes_(std::size_t{1} << levels_) {}

  BitModel& flag(std::int64_t index) {
    const int near = std::min(std::popcount(before_), 3),
              far = std::min(std::popcount(above(index)), 3);
    return flags_[near * 4 + far];
  }
  void remember(std::int64_t index, bool flag) {
    before_ = static_cast<std::uint8_t>(before_ << 1 | (flag ? 1 : 0));
    above(index) = static_cast<std::uint8_t>(above(index) << 1 | (flag ? 1 : 0));
  }
  BitModel& sign() { return sign_; }
  // Magnitude - 1 has levels() bits, highest first; node is 1, then a 1 followed by the bits so
  // far.
  int levels() const { return levels_; }
  BitModel& magnitude(std::uint32_t node) { return magnitudes_[node]; }

 private:
  std::uint8_t& above(std::int64_t index) { return above_[index % std::ssize(above_)]; }

  std::vector<std::uint8_t> above_;  // the last 8 flags of every column
  std::uint8_t before_ = 0;          // the last 8 flags
  int levels_;
  BitModel flags_[16];
  BitModel sign_;
  std::vector<BitModel> magnitudes_;
};

std::vector<std::byte> encode_arithmetic(const Weights& weights, const WeightLayout& layout) {
  CodeModel model(weights, layout);
  BitEncoder encoder;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int32_t d = weights.codes[i] - zero_point(weights, layout.channel(i));
    encoder.encode(model.flag(i), d != 0);
    model.remember(i, d != 0);
    if (d == 0) continue;
    encoder.encode(model.sign(), d < 0);
    const std::uint32_t rest = static_cast<std::uint32_t>(std::abs(d)) - 1;
    std::uint32_t node = 1;
    for (int level = model.levels() - 1; level >= 0; --level) {
      const bool bit = ((rest >> level) & 1) != 0;
      encoder.encode(model.magnitude(node), bit);
      node = node * 2 + (bit ? 1 : 0);
    }
  }
  return encoder.finish();
}

void decode_arithmetic(std::span<const std::byte> bytes, const WeightLayout& layout,
                       const std::string& what, Weights& weights) {
  if (layout.count() > std::ssize(bytes) * kMostCodesPerByte) {
    throw DataError(what + ": " + std::to_string(bytes.size()) + " bytes cannot hold " +
                    std::to_string(layout.count()) + " codes");
  }
  weights.codes.resize(layout.count());
  CodeModel model(weights, layout);
  BitDecoder decoder(bytes);
  const std::int32_t low = lowest_code(weights), high = highest_code(weights);
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const bool flag = decoder.decode(model.flag(i));
    model.remember(i, flag);
    std::int32_t d = 0;
    if (flag) {
      const bool negative = decoder.decode(model.sign());
      std::uint32_t node = 1;
      for (int level = 0; level < model.levels(); ++level) {
        node = node * 2 + (decoder.decode(model.magnitude(node)) ? 1 : 0);
      }
      const auto magnitude = static_cast<std::int32_t>(node - (1u << model.levels())) + 1;
      d = negative ? -magnitude : magnitude;
    }
    const std::int32_t code = zero_point(weights, layout.channel(i)) + d;
    if (code < low || code > high) {
      throw DataError(what + ": code " + std::to_string(i) + " is " + std::to_string(code) +
                      ", expected " + std::to_string(low) + " .. " + std::to_string(high));
    }
    weights.codes[i] = static_cast<std::int8_t>(code);
  }
  if (!decoder.at_end()) throw DataError(what + ": the coded bytes do not end with the last code");
}

std::vector<std::byte> encode_packed(const Weights& weights) {
  BitWriter writer;
  for (const std::int8_t code : weights.codes) {
    writer.write(static_cast<std::uint32_t>(code - lowest_code(weights)), weights.bits);
  }
  return writer.take();
}

void decode_packed(std::span<const std::byte> bytes, const WeightLayout& layout,
                   const std::string& what, Weights& weights) {
  expect_size(what, bytes, bytes_for(layout.count() * weights.bits));
  weights.codes.resize(layout.count());
  BitReader reader(bytes);
  for (std::int8_t& code : weights.codes) {
    code = static_cast<std::int8_t>(static_cast<std::int32_t>(reader.read(weights.bits)) +
                                    lowest_code(weights));
  }
  expect_zero_rest(what, reader);
}

std::vector<std::byte> encode_bitmap(const Weights& weights, const WeightLayout& layout) {
  BitWriter flags, codes;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const bool zero = weights.codes[i] == zero_point(weights, layout.channel(i));
    flags.write(zero ? 0 : 1, 1);
    if (!zero)
      codes.write(static_cast<std::uint32_t>(weights.codes[i] - lowest_code(weights)),
                  weights.bits);
  }
  std::vector<std::byte> bytes = flags.take();
  const std::vector<std::byte> packed = codes.take();
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  return bytes;
}

void decode_bitmap(std::span<const std::byte> bytes, const WeightLayout& layout,
                   const std::string& what, Weights& weights) {
  const std::int64_t map_size = bytes_for(layout.count());
  if (std::ssize(bytes) < map_size) expect_size(what, bytes, map_size);
  const std::span<const std::byte> map = bytes.first(map_size), packed = bytes.subspan(map_size);
  std::int64_t nonzero = 0;
  for (const std::byte b : map) nonzero += std::popcount(static_cast<std::uint8_t>(b));
  expect_size(what, packed, bytes_for(nonzero * weights.bits));
  weights.codes.resize(layout.count());
  BitReader flags(map), codes(packed);
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const std::int32_t code =
        flags.read(1) == 0
            ? zero_point(weights, layout.channel(i))
            : static_cast<std::int32_t>(codes.read(weights.bits)) + lowest_code(weights);
    weights.codes[i] = static_cast<std::int8_t>(code);
  }
  expect_zero_rest(what, flags);
  expect_zero_rest(what, codes);
}

}  // namespace

std::vector<std::byte> encode_codes(Coding coding, const Weights& weights,
                                    const WeightLayout& layout) {
  switch (coding) {
    case Coding::packed:
      return encode_packed(weights);
    case Coding::bitmap:
      return encode_bitmap(weights, layout);
    case Coding::arithmetic:
      return encode_arithmetic(weights, layout);
    case Coding::relative_index:
      return encode_relative_index(weights, layout);
    case Coding::huffman:
      return encode_huffman(weights, layout);
  }
  PARE_ENSURE(!"a coding");
  return {};
}

void decode_codes(Coding coding, std::span<const std::byte> bytes, const WeightLayout& layout,
                  const std::string& what, Weights& weights) {
  switch (coding) {
    case Coding::packed:
      return decode_packed(bytes, layout, what, weights);
    case Coding::bitmap:
      return decode_bitmap(bytes, layout, what, weights);
    case Coding::arithmetic:
      return decode_arithmetic(bytes, layout, what, weights);
    case Coding::relative_index:
      return decode_relative_index(bytes, layout, what, weights);
    case Coding::huffman:
      return decode_huffman(bytes, layout, what, weights);
  }
  throw DataError(what + ": coding " + std::to_string(static_cast<int>(coding)) +
                  " is unknown, expected 0 .. 4");
}

}  // namespace pare::integer
