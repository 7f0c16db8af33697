// Files of named arrays: safetensors, checkpoints and Keras's HDF5. What they take is bounded in
// this process; the guarded one, which sees HDF5, has a limit of its own.
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/hdf5_image.h"
#include "framework/io/image_bytes.h"
#include "framework/io/keras_h5.h"
#include "framework/io/safetensors.h"
#include "framework/io/sha256.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {
namespace {

void require_arrays(const std::vector<NamedArray>& arrays) {
  for (const NamedArray& array : arrays) {
    std::uint64_t bytes = size_of(array.type);
    for (const std::int64_t extent : array.shape) bytes *= static_cast<std::uint64_t>(extent);
    require(array.bytes.size() == bytes);
  }
}

// The header up to the first zero byte, with its length before it; the rest are the arrays.
std::vector<std::byte> with_length(Bytes bytes) {
  const std::size_t end = std::min(text_of(bytes).find('\0'), bytes.size());
  ByteWriter writer;
  writer.u64(end);
  writer.bytes(bytes.first(end));
  writer.bytes(bytes.subspan(std::min(end + 1, bytes.size())));
  return writer.result();
}

}  // namespace

void safetensors(Bytes bytes) {
  const auto [mode, rest] = choice(bytes);
  const std::vector<std::byte> file =
      mode % 2 == 0 ? std::vector<std::byte>(rest.begin(), rest.end()) : with_length(rest);
  looks_like_safetensors(file);
  const MemoryLimit limit("reading safetensors", kTexts + 64 * file.size());
  try {
    const SafeTensors read = decode_safetensors(file, "input");
    require_arrays(read.arrays);
    require(decode_safetensors(encode_safetensors(read), "again") == read);
  } catch (const DataError&) {
  }
}

void checkpoint(Bytes bytes) {
  ByteWriter file;
  file.bytes(bytes);
  file.text(std::string_view("PARE-H5\x01", 8));
  file.u64(bytes.size());
  file.bytes(sha256(bytes));
  const MemoryLimit limit("reading a checkpoint", kTexts + 64 * file.result().size());
  try {
    require_arrays(decode_hdf5(file.result(), "input").arrays);
  } catch (const DataError&) {
  }
}

void wire(Bytes bytes) {
  const MemoryLimit limit("reading arrays", kTexts + 64 * bytes.size());
  try {
    const Hdf5Image image = image_from_bytes(bytes, "input");
    require_arrays(image.arrays);
    require(image_from_bytes(image_to_bytes(image), "again") == image);
  } catch (const DataError&) {
  }
}

void keras(Bytes bytes) {
  const MemoryLimit limit("reading Keras's file", kTexts + 64 * bytes.size());
  try {
    for (const KerasLayer& layer : decode_keras_h5(bytes, "input").layers) {
      for (const KerasArray& array : layer.arrays) {
        std::uint64_t count = 1;
        for (const std::int64_t extent : array.shape) count *= static_cast<std::uint64_t>(extent);
        require(array.values.size() == count);
      }
    }
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
