// CRC-32 (IEEE 802.3, as in zlib) for model.pare and PNG. It detects damage; it proves nothing
// about who wrote a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pare {

// `before`: the checksum of the bytes that these ones follow.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace pare
