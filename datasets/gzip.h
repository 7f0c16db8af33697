// Reading gzip (RFC 1952) piece by piece, so that the reader decides how many bytes it is willing
// to take.
//
// Not a general decompressor: it never grows a buffer on a file's word, which is what makes a "gzip
// bomb" harmless. The checksum in the file's trailer is verified before the last byte is handed
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace pare {

// Told by the first two bytes; a file's name says nothing.
bool is_gzip(std::span<const std::byte> bytes);

class GzipReader {
 public:
  // `bytes` must outlive the reader; `what` names the file in errors.
  GzipReader(std::span<const std::byte> bytes, std::string what);
  ~GzipReader();

  // Fills `out` and returns how many bytes that were: fewer than asked only at the end of the
  // stream. Throws DataError where the stream is damaged or stops early, or where more bytes follow
  // its end.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string what_;
  bool ended_ = false;
};

}  // namespace pare
