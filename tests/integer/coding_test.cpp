#include "compression/integer/coding.h"

#include <doctest/doctest.h>

#include <cmath>

#include "compression/integer/arithmetic_coder.h"
#include "compression/integer/huffman.h"
#include "framework/base/error.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

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
    for (const Coding coding : kCodings) {
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
    for (const Coding coding : kCodings) {
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
  CHECK_THROWS_AS(decode_codes(static_cast<Coding>(kCodings.size()), {}, {1, 1}, "test", none),
                  DataError);
  // 2^26 codes in 100 bytes: refused before anything is allocated.
  for (const Coding coding : kCodings) {
    CHECK_THROWS_AS(
        decode_codes(coding, std::vector<std::byte>(100, std::byte{6}), {1, 1 << 26}, "test", none),
        DataError);
    CHECK(none.codes.capacity() == 0);
  }
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
      decode_codes(kCodings[static_cast<std::size_t>(trial) % kCodings.size()], bytes, layout,
                   "test", weights);
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

// Cormen et al., "Introduction to Algorithms", section on Huffman codes: six characters with these
// counts (in thousands) take 224 thousand bits.
TEST_CASE("Huffman codes have the lengths of the textbook's example, and come back") {
  const std::vector<std::uint64_t> counts = {45, 13, 12, 16, 9, 5};
  const HuffmanCode code = HuffmanCode::of(counts);
  const int lengths[] = {1, 3, 3, 3, 4, 4};
  std::uint64_t bits = 0;
  BitWriter writer;
  code.write(writer);
  for (std::uint32_t s = 0; s < 6; ++s) {
    CHECK(code.length(s) == lengths[s]);
    bits += counts[s] * static_cast<std::uint64_t>(code.length(s));
    code.encode(writer, s);
  }
  CHECK(bits == 224);
  const std::vector<std::byte> bytes = writer.take();
  BitReader reader(bytes);
  const auto read = HuffmanCode::read(reader, 6);
  REQUIRE(read);
  for (std::uint32_t s = 0; s < 6; ++s) CHECK(read->decode(reader) == s);
}

TEST_CASE("counts that grow like Fibonacci's numbers still give codes of at most 15 bits") {
  std::vector<std::uint64_t> counts = {1, 1};
  while (counts.size() < 40) counts.push_back(counts.end()[-1] + counts.end()[-2]);
  const HuffmanCode code = HuffmanCode::of(counts);
  std::uint32_t room = 0;
  for (std::uint32_t s = 0; s < 40; ++s) {
    REQUIRE((code.length(s) >= 1 && code.length(s) <= kLongestCode));
    room += 1u << (kLongestCode - code.length(s));
  }
  CHECK(room == 1u << kLongestCode);  // Kraft: the code is complete
}

TEST_CASE("lengths that are no complete code are refused") {
  const auto refused = [](std::vector<std::uint32_t> lengths) {
    BitWriter writer;
    for (const std::uint32_t length : lengths) writer.write(length, 4);
    const std::vector<std::byte> bytes = writer.take();
    BitReader reader(bytes);
    return !HuffmanCode::read(reader, lengths.size());
  };
  CHECK(refused({0, 0, 0, 0}));
  CHECK(refused({1, 1, 1, 0}));  // more than there is room for
  CHECK(refused({2, 2, 1, 3}));
  CHECK(refused({2, 2, 0, 0}));  // bits that mean nothing
  CHECK(refused({2, 0, 0, 0}));
  CHECK(!refused({1, 0, 0, 0}));
  CHECK(!refused({2, 1, 3, 3}));
}

// 4-bit codes 0 0 0 5 0 0 -8 0: gaps 3 and 2 (one of 2 bits is enough), then an entry for the end.
TEST_CASE("relative index is what the format's page says, by hand") {
  const WeightLayout layout{1, 8, false};
  Weights weights;
  weights.bits = 4;
  weights.codes = {0, 0, 0, 5, 0, 0, -8, 0};
  const auto bytes = encode_codes(Coding::relative_index, weights, layout);
  // Entries (gap, code + 8), lowest bits first: (3, 13), (2, 0), (0, 8).
  const std::uint32_t stream = 3 | 13 << 2 | 2 << 6 | 0 << 8 | 0 << 12 | 8 << 14;
  const std::vector<std::byte> expected = {std::byte{2}, static_cast<std::byte>(stream & 255),
                                           static_cast<std::byte>(stream >> 8 & 255),
                                           static_cast<std::byte>(stream >> 16)};
  CHECK(bytes == expected);
}

// Deep Compression's setting: gaps and codes of a pruned layer, drawn unevenly. A Huffman code
// takes less than one bit more per symbol than the entropy.
TEST_CASE("Huffman is smaller than relative index where gaps and codes are uneven") {
  Draw draw(5);
  const WeightLayout layout{100, 500, false};
  Weights weights;
  weights.bits = 8;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    int code = 0;
    if (draw.chance(10)) {
      for (code = 1; code < 60 && draw.chance(80);) ++code;
    }
    weights.codes.push_back(static_cast<std::int8_t>(draw.chance(50) ? code : -code));
  }
  const auto size = [&](Coding coding) { return encode_codes(coding, weights, layout).size(); };
  CHECK(size(Coding::huffman) * 10 < size(Coding::relative_index) * 9);
  CHECK(size(Coding::relative_index) * 10 < size(Coding::bitmap) * 9);
  CHECK(size(Coding::arithmetic) < size(Coding::huffman));
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
