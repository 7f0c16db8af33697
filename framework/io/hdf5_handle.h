// What the HDF5 sources of this folder share: handles that close themselves, and the library's
// state. Not for others: hdf5.h stays inside framework/io.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "framework/io/hdf5_image.h"

namespace pare::hdf5 {

// Debian's library is not thread-safe: hold this during every use of it. The first use switches off
// its exit handler (it crashes after failed writes, h5py#914), its printing of errors, and plug-ins
// loaded from disk.
[[nodiscard]] std::unique_lock<std::mutex> lock_library();

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  bool valid() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// The type in the file; all of them are what x86-64 and AArch64 have in memory.
hid_t file_type(ElementType type);

inline constexpr ElementType kElementTypes[] = {ElementType::float32, ElementType::float64,
                                                ElementType::int64, ElementType::int32,
                                                ElementType::uint8};
inline constexpr const char* kJsonName = "json";
inline constexpr int kMostDimensions = 4;
inline constexpr std::uint64_t kTrailerBytes = 48;  // of a checkpoint, behind HDF5's part

// HDF5 wants a name even for a file in memory, and refuses one that exists on disk. This one
// cannot.
inline constexpr const char* kNoFile = "/dev/null/pare";

// A file access list for files that live in memory.
Handle memory_access();

// The HDF5 part of a file, without the trailer, for which there is room. read_image throws
// DataError that begins with `what`.
std::vector<std::byte> write_image(const Hdf5Image& image);
Hdf5Image read_image(std::span<const std::byte> bytes, const std::string& what);

// "parameters/conv1.weight/lsq.step" <-> "parameters/conv1.weight:lsq.step". unescape gives "" for
// what escape never returns.
std::string escape(const std::string& name);
std::string unescape(const std::string& link);

}  // namespace pare::hdf5
