// gzip streams: as they are, and with the checksum and length that their deflate stream asks for.
#include "datasets/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "datasets/idx.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {
namespace {

constexpr std::size_t kMost = 1 << 16;  // bytes, of what is unpacked

// What a raw deflate stream unpacks to, as far as it goes.
std::vector<std::byte> inflated(Bytes deflated) {
  std::vector<std::byte> out(kMost);
  z_stream z{};
  require(inflateInit2(&z, -MAX_WBITS) == Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(deflated.data()));
  z.avail_in = static_cast<uInt>(deflated.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  inflate(&z, Z_NO_FLUSH);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

std::vector<std::byte> sealed(Bytes deflated, Bytes content) {
  ByteWriter writer;
  for (const int b : {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3})
    writer.u8(static_cast<std::uint8_t>(b));
  writer.bytes(deflated);
  writer.u32(crc32(content));
  writer.u32(static_cast<std::uint32_t>(content.size()));
  return writer.result();
}

// Reads in pieces of `piece` bytes and compares with `expected` as far as both go.
void read_in_pieces(Bytes file, std::size_t piece, Bytes expected) {
  try {
    GzipReader reader(file, "input");
    std::vector<std::uint8_t> buffer(piece);
    for (std::size_t at = 0; at < kMost;) {
      const std::size_t count = reader.read(buffer);
      const std::size_t known = std::min(count, expected.size() - std::min(expected.size(), at));
      for (std::size_t i = 0; i < known; ++i)
        require(buffer[i] == static_cast<std::uint8_t>(expected[at + i]));
      at += count;
      if (count < piece) break;
    }
  } catch (const DataError&) {
  }
}

}  // namespace

void gzip(Bytes bytes) {
  static MemoryFile file;
  const auto [mode, rest] = choice(bytes);
  const std::vector<std::byte> content = mode % 2 == 0 ? std::vector<std::byte>() : inflated(rest);
  const std::vector<std::byte> made = mode % 2 == 0
                                          ? std::vector<std::byte>(rest.begin(), rest.end())
                                          : sealed(rest, content);
  read_in_pieces(made, std::array<std::size_t, 4>{1, 7, 4096, kMost}[mode / 2 % 4], content);
  const std::string& path = file.put(made);
  const MemoryLimit limit("reading IDX", kStreams + 8 * content_of(made));
  try {
    const IdxArray array = read_idx(path);
    std::uint64_t values = 1;
    for (const std::int64_t extent : array.extents) values *= static_cast<std::uint64_t>(extent);
    require(values == array.values.size());
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
