// The trailer around the HDF5 bytes, and the way to and from disk.
//
//   offset   bytes
//   n        8       "PARE-H5" and the version of the trailer, 1
//   n + 8    8       n, little-endian
//   n + 16   32      SHA-256 of the n bytes before
#include "framework/io/hdf5_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/guarded.h"
#include "framework/io/hdf5_handle.h"
#include "framework/io/image_bytes.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

constexpr std::string_view kMagic("PARE-H5\x01", 8);
constexpr std::uint64_t kTrailer = hdf5::kTrailerBytes;
constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);

// How long the whole file was, by HDF5's own header, or 0: for the message about a file that was
// cut. The address of the end stands at byte 40 in superblock version 0, at 44 in version 1 (HDF5
// file format specification, II.A).
std::uint64_t length_in_header(std::span<const std::byte> bytes, const std::string& what) {
  if (bytes.size() < 52) return 0;
  ByteReader reader(bytes, what);
  if (reader.text(8) != kSignature) return 0;
  const std::uint8_t version = reader.u8();
  if (version > 1) return 0;
  reader.bytes(version == 0 ? 31 : 35);
  return reader.u64() + kTrailer;
}

// The bytes before the trailer, once they are known to be those that were written.
std::span<const std::byte> checked_content(std::span<const std::byte> bytes,
                                           const std::string& what) {
  const std::uint64_t whole = length_in_header(bytes, what);
  if (bytes.size() < kTrailer || bytes.size() < whole) {
    throw DataError(
        whole == 0 ? fmt::format("{}: {} bytes are too few for a checkpoint", what, bytes.size())
                   : fmt::format("{}: it has {} of {} bytes (an incomplete copy or download?)",
                                 what, bytes.size(), whole));
  }
  const auto content = bytes.first(bytes.size() - kTrailer);
  ByteReader trailer(bytes.last(kTrailer), what);
  if (trailer.text(kMagic.size()) != kMagic) {
    throw DataError(what + ": it does not end as a checkpoint of Pare does");
  }
  if (const std::uint64_t length = trailer.u64(); length != content.size()) {
    throw DataError(fmt::format("{}: expected {} bytes before the trailer, got {}", what, length,
                                content.size()));
  }
  if (!std::ranges::equal(trailer.bytes(32), sha256(content))) {
    throw DataError(what + ": its checksum is wrong: the file is damaged");
  }
  return content;
}

}  // namespace

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::float32:
    case ElementType::int32:
      return 4;
    case ElementType::float64:
    case ElementType::int64:
      return 8;
    case ElementType::uint8:
      return 1;
  }
  PARE_ENSURE(!"a known element type");
  return 0;
}

bool has_hdf5_trailer(std::span<const std::byte> bytes) {
  return bytes.size() >= kTrailer &&
         ByteReader(bytes.last(kTrailer), "").text(kMagic.size()) == kMagic;
}

bool is_undamaged(std::span<const std::byte> bytes) {
  try {
    checked_content(bytes, "");
    return true;
  } catch (const DataError&) {
    return false;
  }
}

std::vector<std::byte> encode_hdf5(const Hdf5Image& image) {
  std::vector<std::byte> bytes = hdf5::write_image(image);
  ByteWriter trailer;
  trailer.text(kMagic);
  trailer.u64(bytes.size());
  trailer.bytes(sha256(bytes));
  bytes.insert(bytes.end(), trailer.result().begin(), trailer.result().end());
  return bytes;
}

Hdf5Image decode_hdf5(std::span<const std::byte> bytes, const std::string& what) {
  const auto content = checked_content(bytes, what);
  const Guard guard{.memory = (std::uint64_t{64} << 20) + 8 * bytes.size(), .seconds = 30};
  const auto parse = [&] { return image_to_bytes(hdf5::read_image(content, what)); };
  return image_from_bytes(run_guarded(guard, what, parse), what);
}

void save_hdf5(const std::string& path, const Hdf5Image& image) {
  write_file_atomically(path, encode_hdf5(image));
}

Hdf5Image load_hdf5(const std::string& path, std::uint64_t limit) {
  return decode_hdf5(read_file(path, limit), path);
}

}  // namespace pare
