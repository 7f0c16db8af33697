// CRC-32 against the check value of the CRC catalogue.
#include "framework/base/crc32.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace pare {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST_CASE("CRC-32 gives the catalogue's check value and continues from a previous one") {
  CHECK(crc32(bytes_of("123456789")) == 0xCBF43926u);
  CHECK(crc32({}) == 0);
  CHECK(crc32(bytes_of("56789"), crc32(bytes_of("1234"))) == 0xCBF43926u);
}

TEST_CASE("CRC-32 notices every changed bit") {
  std::vector<std::byte> bytes(40, std::byte{7});
  const std::uint32_t before = crc32(bytes);
  for (auto& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      byte ^= static_cast<std::byte>(1 << bit);
      CHECK(crc32(bytes) != before);
      byte ^= static_cast<std::byte>(1 << bit);
    }
  }
}

}  // namespace
}  // namespace pare
