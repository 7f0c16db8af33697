#include "apps/lib/report/png.h"

#include <zlib.h>

#include <algorithm>

#include "framework/base/crc32.h"
#include "framework/base/error.h"

namespace pare::report {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int64_t kLargestSide = 1 << 16;

void append_u32(Bytes& bytes, std::uint32_t value) {  // PNG is big-endian
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::byte>(value >> shift));
}

// Length, type, content, CRC-32 of type and content.
void append_chunk(Bytes& png, const char* type, const Bytes& content) {
  append_u32(png, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = png.size();
  for (int i = 0; i < 4; ++i) png.push_back(static_cast<std::byte>(type[i]));
  png.insert(png.end(), content.begin(), content.end());
  append_u32(png, crc32(std::span(png).subspan(begin)));
}

Bytes header(const Raster& raster) {
  Bytes bytes;
  append_u32(bytes, static_cast<std::uint32_t>(raster.width));
  append_u32(bytes, static_cast<std::uint32_t>(raster.height));
  const int colour = raster.kind == Raster::Kind::gray  ? 0
                     : raster.kind == Raster::Kind::rgb ? 2
                                                        : 3;
  for (const int value : {8, colour, 0, 0, 0}) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

// Each row begins with its filter: 0, none. Small pictures and palettes gain nothing from others.
Bytes deflated(const Raster& raster) {
  const auto height = static_cast<std::size_t>(raster.height);
  const std::size_t row = raster.samples.size() / height;
  std::vector<std::uint8_t> filtered;
  filtered.reserve(raster.samples.size() + height);
  for (std::size_t y = 0; y < height; ++y) {
    filtered.push_back(0);
    const auto begin = raster.samples.begin() + static_cast<std::ptrdiff_t>(y * row);
    filtered.insert(filtered.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
  }
  uLongf size = compressBound(static_cast<uLong>(filtered.size()));
  Bytes bytes(size);
  PARE_ENSURE(compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, filtered.data(),
                        static_cast<uLong>(filtered.size()), Z_DEFAULT_COMPRESSION) == Z_OK);
  bytes.resize(size);
  return bytes;
}

void append_palette(Bytes& png, const std::vector<Rgba>& palette) {
  Bytes colours, alphas;
  for (const Rgba& c : palette) {
    for (int i = 0; i < 3; ++i)
      colours.push_back(static_cast<std::byte>(c[static_cast<std::size_t>(i)]));
    alphas.push_back(static_cast<std::byte>(c[3]));
  }
  append_chunk(png, "PLTE", colours);
  append_chunk(png, "tRNS", alphas);
}

}  // namespace

std::vector<std::byte> encode_png(const Raster& raster) {
  PARE_ENSURE(raster.width > 0 && raster.width <= kLargestSide);
  PARE_ENSURE(raster.height > 0 && raster.height <= kLargestSide);
  const std::int64_t per_pixel = raster.kind == Raster::Kind::rgb ? 3 : 1;
  PARE_ENSURE(std::ssize(raster.samples) == raster.width * raster.height * per_pixel);
  PARE_ENSURE((raster.kind == Raster::Kind::palette) == !raster.palette.empty());
  PARE_ENSURE(raster.palette.size() <= 256);
  Bytes png;
  for (const int value : {0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A})
    png.push_back(static_cast<std::byte>(value));
  append_chunk(png, "IHDR", header(raster));
  if (!raster.palette.empty()) append_palette(png, raster.palette);
  append_chunk(png, "IDAT", deflated(raster));
  append_chunk(png, "IEND", {});
  return png;
}

std::string base64(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string data_uri(const Raster& raster) {
  return "data:image/png;base64," + base64(encode_png(raster));
}

}  // namespace pare::report
