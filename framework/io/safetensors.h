// safetensors files: named arrays with a JSON header and nothing else, as many other programs write
// and read them (format: huggingface/safetensors, README).
//
//   8 bytes   length n of the header, little-endian
//   n bytes   {"name": {"dtype": "F32", "shape": [8, 5, 5, 1], "data_offsets": [begin, end]}, ...,
//              "__metadata__": {"key": "text", ...}}, filled up with spaces
//   the rest  the arrays, row-major, little-endian; offsets count from here and leave no hole
//
// A format without a checksum: damage in the numbers is not noticed. Everything else is checked,
// and nothing is allocated that the file does not hold. What the names mean is the caller's
// business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/io/hdf5_image.h"

namespace pare {

struct SafeTensors {
  std::vector<std::pair<std::string, std::string>> metadata;  // sorted by key
  std::vector<NamedArray> arrays;

  bool operator==(const SafeTensors&) const = default;
};

// Deterministic: arrays are sorted by the size of their elements, largest first (so that all are
// aligned), then by name; the header fills whole multiples of 8 bytes. Names and keys must differ.
std::vector<std::byte> encode_safetensors(const SafeTensors& tensors);

// Arrays come back sorted by name. Throws DataError that begins with `what`: no safetensors file, a
// header of more than 1 MiB, an array of more than 4 dimensions or of a type that is not F32, F64,
// I64, I32 or U8, offsets that overlap, leave holes or lie outside.
SafeTensors decode_safetensors(std::span<const std::byte> bytes, const std::string& what);

void save_safetensors(const std::string& path, const SafeTensors& tensors);
SafeTensors load_safetensors(const std::string& path, std::uint64_t limit = std::uint64_t{4} << 30);

// Whether the bytes begin as such a file does: for telling formats apart.
bool looks_like_safetensors(std::span<const std::byte> bytes);

}  // namespace pare
