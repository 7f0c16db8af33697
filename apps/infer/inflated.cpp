#include "apps/infer/inflated.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare::infer {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{2} << 30;
constexpr std::size_t kStart = 4096;  // enough for every header
constexpr int kGzip = 15 + 16;  // zlib's window bits for gzip with its checksum

bool is_gzip(const std::vector<std::byte>& bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

}  // namespace

std::vector<std::byte> read_inflated(const std::string& path, const ImpliedSize& implied_size) {
  std::vector<std::byte> packed = read_file(path, kLargest);
  if (!is_gzip(packed)) return packed;
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw FailedError("zlib cannot be started");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::vector<std::byte> bytes;
  std::uint64_t most = kStart;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const std::size_t before = bytes.size();
    if (before == kStart) most = std::min(implied_size(bytes), kLargest);
    if (before > most) throw DataError(path + ": unpacks to more than its header implies");
    // Memory grows with what is there, not with what a file claims.
    bytes.resize(before == 0 ? kStart : std::min<std::uint64_t>(2 * before, most + 1));
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + before);
    stream.avail_out = static_cast<uInt>(bytes.size() - before);
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      throw DataError(path + ": the gzip data are damaged or cut off; fetch the file again");
    }
    bytes.resize(bytes.size() - stream.avail_out);
  }
  if (stream.avail_in != 0)
    throw DataError(path + ": expected the end of the file after the gzip data");
  return bytes;
}

}  // namespace pare::infer
