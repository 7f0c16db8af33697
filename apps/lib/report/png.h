// Images inside the page: a writer of small PNG files (ISO/IEC 15948) over zlib, and their form as
// a data URI. Written only, never read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare::report {

using Rgba = std::array<std::uint8_t, 4>;

// Eight bits a sample, row by row.
struct Raster {
  enum class Kind { gray, rgb, palette };
  Kind kind = Kind::gray;
  std::int64_t width = 0, height = 0;      // 1 .. 2^16
  std::vector<std::uint8_t> samples = {};  // height x width x (3 where rgb, else 1)
  std::vector<Rgba> palette = {};          // 1 .. 256 colours
};

std::vector<std::byte> encode_png(const Raster& raster);

std::string base64(std::span<const std::byte> bytes);  // RFC 4648, section 4

// "data:image/png;base64,..."
std::string data_uri(const Raster& raster);

}  // namespace pare::report
