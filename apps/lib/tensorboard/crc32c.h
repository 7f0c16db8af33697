// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TFRecord files. Not the CRC-32 of
// zlib and model.pare, which has another polynomial.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pare::tensorboard {

std::uint32_t crc32c(std::span<const std::byte> bytes);

// As TFRecord stores it: rotated right by 15 bits, plus a constant, so that the checksum of bytes
// that hold checksums stays one.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace pare::tensorboard
