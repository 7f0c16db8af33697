// Checksums: SHA-256 (FIPS 180-4) for checkpoints and data sets, CRC-32 (IEEE 802.3, as in zlib)
// for model.pare. They detect damage; they prove nothing about who wrote a file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace pare {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // Ends the computation; the object must not be used afterwards.
  std::array<std::byte, 32> digest();

 private:
  void block(const std::byte* bytes);
  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, 64> pending_;
  std::uint64_t length_ = 0;  // bytes so far
};

std::array<std::byte, 32> sha256(std::span<const std::byte> bytes);
std::string hex(std::span<const std::byte> bytes);  // lower case, two digits a byte
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace pare
