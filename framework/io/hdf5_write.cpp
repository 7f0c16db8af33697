// Arrays to an HDF5 file in memory. The library's default ("earliest") format: with later ones the
// image that 1.10.8 hands out has a wrong superblock checksum. Each array is one chunk, because
// only chunks take a Fletcher32.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/base/error.h"
#include "framework/io/hdf5_handle.h"

namespace pare::hdf5 {
namespace {

constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 31;  // HDF5 allows just below 4 GiB

void check(herr_t result, const std::string& action) {
  if (result < 0) throw FailedError("HDF5: cannot " + action);
}

Handle checked(Handle handle, const std::string& action) {
  check(handle.valid() ? 0 : -1, action);
  return handle;
}

// Our callers make the arrays, so a bad one is our mistake.
void validate(const std::vector<NamedArray>& arrays) {
  std::set<std::string> names;
  for (const NamedArray& array : arrays) {
    PARE_ENSURE(names.insert(array.name).second);
    PARE_ENSURE(!array.name.empty() && array.name != kJsonName);
    PARE_ENSURE(array.name.front() != '/' && array.name.back() != '/');
    PARE_ENSURE(array.shape.size() <= kMostDimensions);
    std::uint64_t bytes = size_of(array.type);
    for (const std::int64_t dimension : array.shape) {
      PARE_ENSURE(dimension >= 0);
      PARE_ENSURE(!__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes));
    }
    PARE_ENSURE(array.bytes.size() == bytes);
  }
}

Handle create_file() {
  const Handle creation = checked(Handle(H5Pcreate(H5P_FILE_CREATE), H5Pclose), "make a list");
  check(H5Pset_obj_track_times(creation.get(), false), "switch off time stamps");
  check(H5Pset_istore_k(creation.get(), 1), "make small indices");  // one chunk each, not 64
  const Handle access = memory_access();
  return checked(Handle(H5Fcreate(kNoFile, H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose),
                 "create a file in memory");
}

// The properties of every dataset; chunked and summed where `shape` has elements.
Handle dataset_properties(const std::vector<hsize_t>& shape, std::uint64_t bytes) {
  Handle properties = checked(Handle(H5Pcreate(H5P_DATASET_CREATE), H5Pclose), "make a list");
  check(H5Pset_obj_track_times(properties.get(), false), "switch off time stamps");
  check(H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER), "switch off filling");
  if (!shape.empty() && bytes > 0 && bytes < kLargestChunk) {
    check(H5Pset_chunk(properties.get(), static_cast<int>(shape.size()), shape.data()), "chunk");
    check(H5Pset_fletcher32(properties.get()), "add a checksum");
  }
  return properties;
}

void write_dataset(hid_t file, const std::string& link, hid_t type, const Handle& space,
                   const Handle& properties, std::span<const std::byte> bytes) {
  const Handle links = checked(Handle(H5Pcreate(H5P_LINK_CREATE), H5Pclose), "make a list");
  check(H5Pset_create_intermediate_group(links.get(), 1), "make groups");
  const Handle dataset = checked(Handle(H5Dcreate2(file, link.c_str(), type, space.get(),
                                                   links.get(), properties.get(), H5P_DEFAULT),
                                        H5Dclose),
                                 "create '" + link + "'");
  if (bytes.empty()) return;
  check(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
        "write '" + link + "'");
}

void write_array(hid_t file, const NamedArray& array) {
  const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
  const Handle space =
      checked(shape.empty()
                  ? Handle(H5Screate(H5S_SCALAR), H5Sclose)
                  : Handle(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                           H5Sclose),
              "make a shape");
  write_dataset(file, escape(array.name), file_type(array.type), space,
                dataset_properties(shape, array.bytes.size()), array.bytes);
}

// A string of fixed length, so that json.loads(f["json"][()]) works. HDF5 has no empty ones: ""
// becomes one zero byte.
void write_json(hid_t file, const std::string& json) {
  const std::string text = json.empty() ? std::string(1, '\0') : json;
  const Handle type = checked(Handle(H5Tcopy(H5T_C_S1), H5Tclose), "make a string type");
  check(H5Tset_size(type.get(), text.size()), "size a string");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "pad a string");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "make a string UTF-8");
  const Handle space = checked(Handle(H5Screate(H5S_SCALAR), H5Sclose), "make a shape");
  write_dataset(file, kJsonName, type.get(), space, dataset_properties({}, text.size()),
                std::as_bytes(std::span(text)));
}

}  // namespace

std::vector<std::byte> write_image(const Hdf5Image& image) {
  validate(image.arrays);
  std::vector<const NamedArray*> sorted;
  for (const NamedArray& array : image.arrays) sorted.push_back(&array);
  std::ranges::sort(sorted, {}, [](const NamedArray* array) { return array->name; });

  const auto lock = lock_library();
  const Handle file = create_file();
  write_json(file.get(), image.json);
  for (const NamedArray* array : sorted) write_array(file.get(), *array);
  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "flush");
  const ssize_t size = H5Fget_file_image(file.get(), nullptr, 0);
  check(size < 0 ? -1 : 0, "measure the image");
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(size) + kTrailerBytes);
  bytes.resize(static_cast<std::size_t>(size));
  check(H5Fget_file_image(file.get(), bytes.data(), bytes.size()) == size ? 0 : -1,
        "copy the image");
  return bytes;
}

}  // namespace pare::hdf5
