#include "framework/io/image_bytes.h"

#include <algorithm>
#include <iterator>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/hdf5_handle.h"

namespace pare {
namespace {

void write_text(ByteWriter& writer, const std::string& text) {
  writer.u64(text.size());
  writer.text(text);
}

NamedArray read_array(ByteReader& reader) {
  NamedArray array;
  array.name = reader.text(reader.u64());
  const std::uint8_t type = reader.u8();
  if (type >= std::size(hdf5::kElementTypes)) reader.fail("an unknown type of elements");
  array.type = hdf5::kElementTypes[type];
  const std::uint8_t rank = reader.u8();
  if (rank > hdf5::kMostDimensions) reader.fail("more than 4 dimensions");
  std::uint64_t size = size_of(array.type);
  for (int i = 0; i < rank; ++i) {
    const std::uint64_t extent = reader.u64();
    if (__builtin_mul_overflow(size, extent, &size)) reader.fail("larger than any file");
    array.shape.push_back(static_cast<std::int64_t>(extent));
  }
  const auto bytes = reader.bytes(size);
  array.bytes.assign(bytes.begin(), bytes.end());
  return array;
}

}  // namespace

std::vector<std::byte> image_to_bytes(const Hdf5Image& image) {
  ByteWriter writer;
  write_text(writer, image.json);
  for (const NamedArray& array : image.arrays) {
    write_text(writer, array.name);
    const auto type = std::find(std::begin(hdf5::kElementTypes), std::end(hdf5::kElementTypes),
                                array.type) -
                      std::begin(hdf5::kElementTypes);
    writer.u8(static_cast<std::uint8_t>(type));
    writer.u8(static_cast<std::uint8_t>(array.shape.size()));
    for (const std::int64_t extent : array.shape) writer.u64(static_cast<std::uint64_t>(extent));
    writer.bytes(array.bytes);
  }
  return writer.result();
}

Hdf5Image image_from_bytes(std::span<const std::byte> bytes, const std::string& what) {
  ByteReader reader(bytes, what);
  Hdf5Image image;
  image.json = reader.text(reader.u64());
  while (reader.remaining() > 0) image.arrays.push_back(read_array(reader));
  return image;
}

}  // namespace pare
