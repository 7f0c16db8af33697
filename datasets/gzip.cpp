// The zlib side of GzipReader: one inflate stream over bytes in memory.
#include "datasets/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "framework/base/error.h"

namespace pare {

struct GzipReader::Stream {
  z_stream z{};
};

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

GzipReader::GzipReader(std::span<const std::byte> bytes, std::string what)
    : stream_(std::make_unique<Stream>()), what_(std::move(what)) {
  PARE_ENSURE(bytes.size() <= 0xffffffffu);  // zlib counts input in 32 bits
  stream_->z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream_->z.avail_in = static_cast<uInt>(bytes.size());
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream_->z, kGzipOnly) != Z_OK) {
    throw FailedError(what_ + ": no memory to decompress it");
  }
}

GzipReader::~GzipReader() { inflateEnd(&stream_->z); }

std::size_t GzipReader::read(std::span<std::uint8_t> out) {
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts output in 32 bits
  z_stream& z = stream_->z;
  std::size_t filled = 0;
  while (filled < out.size() && !ended_) {
    const std::size_t asked = std::min(out.size() - filled, kPiece);
    z.next_out = out.data() + filled;
    z.avail_out = static_cast<uInt>(asked);
    const int status = inflate(&z, Z_NO_FLUSH);
    filled += asked - z.avail_out;
    if (status == Z_STREAM_END) {
      ended_ = true;
      if (z.avail_in != 0) {
        throw DataError(what_ + ": expected the end of the gzip stream, got " +
                        std::to_string(z.avail_in) + " more bytes; copy or download it again");
      }
    } else if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_in == 0 && z.avail_out > 0)) {
      throw DataError(what_ + ": the gzip stream stops early after " + std::to_string(z.total_out) +
                      " decompressed bytes: the file is truncated; copy or download it again");
    } else if (status != Z_OK) {
      throw DataError(what_ + ": the gzip stream is damaged (" + (z.msg ? z.msg : "zlib error") +
                      ", after " + std::to_string(z.total_out) +
                      " decompressed bytes); copy or download it again");
    }
  }
  return filled;
}

}  // namespace pare
