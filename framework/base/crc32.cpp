// One table look-up a byte. Not meant to be the fastest: models are small, and the integer engine
// links no library that it could come from.
#include "framework/base/crc32.h"

#include <array>

namespace pare {
namespace {

// Remainder of every byte modulo the reflected polynomial of IEEE 802.3.
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) ? 0xEDB88320u : 0u);
    table[byte] = rest;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t rest = ~before;
  for (const std::byte byte : bytes) {
    rest = kTable[(rest ^ std::to_integer<std::uint32_t>(byte)) & 0xFF] ^ (rest >> 8);
  }
  return ~rest;
}

}  // namespace pare
