#include "framework/io/safetensors.h"

#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

NamedArray array(const std::string& name, ElementType type, std::vector<std::int64_t> shape,
                 std::size_t bytes) {
  NamedArray result{.name = name, .type = type, .shape = std::move(shape), .bytes = {}};
  for (std::size_t i = 0; i < bytes; ++i) result.bytes.push_back(static_cast<std::byte>(i * 37));
  return result;
}

SafeTensors example() {
  return {.metadata = {{"format", "pare"}},
          .arrays = {array("a.weight", ElementType::float32, {2, 3}, 24),
                     array("empty", ElementType::float32, {0}, 0),
                     array("mask", ElementType::uint8, {5}, 5),
                     array("steps", ElementType::int64, {}, 8)}};
}

// A file with this header in front of `data` zero bytes.
std::vector<std::byte> file(const std::string& header, std::size_t data) {
  ByteWriter writer;
  writer.u64(header.size());
  writer.text(header);
  writer.bytes(std::vector<std::byte>(data));
  return writer.result();
}

std::string fault(const std::string& header, std::size_t data) {
  try {
    decode_safetensors(file(header, data), "x.safetensors");
  } catch (const DataError& error) {
    return error.what();
  }
  return "(accepted)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("what is written comes back, and equal content gives equal bytes") {
  const std::vector<std::byte> bytes = encode_safetensors(example());
  CHECK(decode_safetensors(bytes, "x") == example());
  SafeTensors shuffled = example();
  std::swap(shuffled.arrays[0], shuffled.arrays[3]);
  CHECK(encode_safetensors(shuffled) == bytes);
  CHECK(looks_like_safetensors(bytes));
  CHECK(decode_safetensors(encode_safetensors({}), "x") == SafeTensors());
}

TEST_CASE("the bytes are those that the format's description gives") {
  const SafeTensors one{.metadata = {},
                        .arrays = {{.name = "t",
                                    .type = ElementType::uint8,
                                    .shape = {2},
                                    .bytes = {std::byte{7}, std::byte{9}}}}};
  const std::vector<std::byte> bytes = encode_safetensors(one);
  const std::string header = R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  REQUIRE(bytes.size() == 8 + 56 + 2);  // 53 bytes and 3 blanks
  CHECK(std::to_integer<int>(bytes[0]) == 56);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()) + 8, 56) == header + "   ");
  CHECK(std::to_integer<int>(bytes.back()) == 9);
}

TEST_CASE("headers that lie are refused with the reason") {
  const std::string good = R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(fault(good, 8) == "(accepted)");
  CHECK(contains(fault(good, 9), "the arrays take 8 bytes, the file has 9"));
  CHECK(contains(fault(good, 7), "the arrays take 8 bytes, the file has 7"));
  CHECK(contains(fault(R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
                 "expected 12 bytes for this shape"));
  CHECK(contains(fault(R"({"t":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", 8),
                 "expected F32, F64, I64, I32 or U8, got F16; save it as float32"));
  CHECK(contains(fault(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
                 "'t' begins at byte 4 of the data, expected 0"));
  CHECK(contains(fault(R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                       R"("u":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                       3),
                 "'u' begins at byte 1 of the data, expected 2"));
  CHECK(contains(fault(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8),
                 "expected the keys dtype, shape and data_offsets alone"));
  CHECK(contains(fault(R"({"t":{"dtype":"F32","shape":[9007199254740992,9007199254740992],)"
                       R"("data_offsets":[0,8]}})",
                       8),
                 "larger than any file"));
  CHECK(contains(fault(R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "shape"));
  CHECK(contains(fault(R"({"t":{"dtype":"U8","shape":[1,1,1,1,1],"data_offsets":[0,1]}})", 1),
                 "at most 4 dimensions"));
  CHECK(contains(fault(R"({"__metadata__":{"a":1}})", 0), "__metadata__"));
  CHECK(contains(fault(R"({"t":0,"t":0})", 0), "t"));
  CHECK(contains(fault("[1]", 0), "begins with '{'"));
}

TEST_CASE("every truncation is an error, every changed byte an error or another valid file") {
  const std::vector<std::byte> good = encode_safetensors(example());
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_THROWS_AS(decode_safetensors(std::span(good).first(size), "x"), DataError);
  }
  int refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {1, 0x20, 0xFF}) {
      std::vector<std::byte> bad = good;
      bad[i] ^= static_cast<std::byte>(flip);
      try {
        decode_safetensors(bad, "x");
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 300);
}

}  // namespace
}  // namespace pare
