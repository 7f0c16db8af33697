// Checkpoint container: named arrays and one JSON text as an HDF5 file that h5py opens, followed by
// a 48-byte trailer (magic, length, SHA-256) after the end that HDF5 knows. What the arrays mean is
// for the caller to say.
//
// HDF5 works in memory only; our own code reads and writes the disk (framework/base/file.h). The
// trailer is checked before HDF5 sees a byte, so damage is always noticed; it proves nothing about
// who wrote a file, hence libhdf5, which crashes on some forged files, reads in a process of its own
// (guarded.h), and every object is checked again: hard links to plain datasets only, nothing
// external or virtual, no more bytes than the file has. Equal content gives equal bytes: no time
// stamps, arrays sorted by name, everything independent of host and threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare {

enum class ElementType { float32, float64, int64, int32, uint8 };

std::size_t size_of(ElementType type);  // bytes

struct NamedArray {
  // "conv1.weight" lies at the top of the file; in "masks/conv1.weight" the part before the first
  // '/' is a group. Further
  // '/' are written as ':' ("parameters/conv1.weight:lsq.step"), so that a name may begin with
  // another name; '%', ':' and control characters as %XX.
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;  // at most 4 dimensions; none: one element
  std::vector<std::byte> bytes;     // row-major, little-endian, size_of(type) * product(shape)

  bool operator==(const NamedArray&) const = default;
};

struct Hdf5Image {
  std::string json;  // dataset "json"
  std::vector<NamedArray> arrays;

  bool operator==(const Hdf5Image&) const = default;
};

inline constexpr std::uint64_t kLargestHdf5 = std::uint64_t{4} << 30;

// Whether the bytes end as encode_hdf5 ends them: for telling formats apart.
bool has_hdf5_trailer(std::span<const std::byte> bytes);

// Whether they are, bit for bit, what encode_hdf5 gave: its checksum is right.
bool is_undamaged(std::span<const std::byte> bytes);

// The bytes of the whole file. Names must differ and be neither "json" nor have an empty part.
std::vector<std::byte> encode_hdf5(const Hdf5Image& image);

// Arrays come back sorted by name. Throws DataError that begins with `what` where the bytes are
// cut, changed, or hold anything that encode_hdf5 does not write.
Hdf5Image decode_hdf5(std::span<const std::byte> bytes, const std::string& what);

// Atomically replaces `path`. Throws FailedError.
void save_hdf5(const std::string& path, const Hdf5Image& image);

// Throws DataError where the file is missing, larger than `limit` bytes, or not a valid image.
Hdf5Image load_hdf5(const std::string& path, std::uint64_t limit = kLargestHdf5);

}  // namespace pare
