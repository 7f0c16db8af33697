#include "apps/lib/tensorboard/record.h"

#include "apps/lib/tensorboard/crc32c.h"
#include "framework/base/file.h"

namespace pare::tensorboard {
namespace {

constexpr std::size_t kHeader = 12;  // length and its checksum
constexpr std::size_t kTrailer = 4;  // the payload's checksum

// Bytes of the record that `bytes` begin with; 0 where they begin with none.
std::size_t record_size(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeader + kTrailer) return 0;
  ByteReader header(bytes.first(kHeader), "record");
  const std::uint64_t length = header.u64();
  if (header.u32() != masked_crc32c(bytes.first(8))) return 0;
  if (length > bytes.size() - kHeader - kTrailer) return 0;
  const auto payload = bytes.subspan(kHeader, length);
  ByteReader trailer(bytes.subspan(kHeader + length, kTrailer), "record");
  return trailer.u32() == masked_crc32c(payload) ? kHeader + length + kTrailer : 0;
}

}  // namespace

std::vector<std::byte> framed(std::span<const std::byte> payload) {
  ByteWriter length;
  length.u64(payload.size());
  ByteWriter record;
  record.bytes(length.result());
  record.u32(masked_crc32c(length.result()));
  record.bytes(payload);
  record.u32(masked_crc32c(payload));
  return record.result();
}

std::vector<std::size_t> record_ends(std::span<const std::byte> bytes) {
  std::vector<std::size_t> ends;
  std::size_t end = 0;
  while (const std::size_t size = record_size(bytes.subspan(end))) {
    end += size;
    ends.push_back(end);
  }
  return ends;
}

}  // namespace pare::tensorboard
