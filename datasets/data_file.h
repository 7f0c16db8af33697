// DataFile: the bytes of a data file from front to back, whether it is plain or gzip-compressed.
//
// Formats are read in two steps: a header of known size, then the payload whose size the header
// promises. A promise is believed only where the file can keep it, so no buffer is larger than what
// the bytes on disk can fill, and a payload is accepted only where the file ends with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/gzip.h"

namespace pare {

class DataFile {
 public:
  // The largest file on disk that is read at all.
  static constexpr std::uint64_t kLargest = std::uint64_t{1} << 31;

  // Throws DataError where the file cannot be read or is larger than kLargest.
  explicit DataFile(std::string path);

  const std::string& path() const { return path_; }
  // How many bytes were read so far, after decompression.
  std::uint64_t offset() const { return offset_; }

  // Fills `out` as far as the file goes and returns how many bytes that were. Throws DataError
  // where a gzip stream is damaged.
  std::size_t read(std::span<std::uint8_t> out);

  // To be called before a payload is allocated: `size` more bytes must be able to come. Throws
  // DataError otherwise.
  void promise(std::uint64_t size) const;
  // The payload, and the end of the file behind it; otherwise a DataError with both sizes.
  void read_last(std::span<std::uint8_t> out);
  std::vector<std::uint8_t> read_last(std::uint64_t size);

  // The most bytes that can still come: exact for a plain file.
  std::uint64_t at_most() const;

 private:
  [[noreturn]] void wrong_size(std::uint64_t expected, const std::string& got) const;

  std::string path_;
  std::vector<std::byte> bytes_;    // as on disk
  std::optional<GzipReader> gzip_;  // over bytes_
  std::uint64_t offset_ = 0;
};

}  // namespace pare
