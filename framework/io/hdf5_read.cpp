// An HDF5 file in memory to arrays. Every dataset of the project's files goes through
// read_dataset_checked here, and everything that write_image does not make is refused before a
// value is read.
#include <fmt/format.h>

#include <algorithm>

#include "framework/base/error.h"
#include "framework/io/hdf5_handle.h"

namespace pare::hdf5 {
namespace {

constexpr std::size_t kMostObjects = 65'536;

struct Link {
  std::string name;
  H5L_type_t type;
};

struct Links {
  std::vector<Link> found;
  bool too_many = false;
};

// Called by HDF5 for each link: must not let an exception through C code.
herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* into) noexcept {
  Links& links = *static_cast<Links*>(into);
  try {
    links.too_many = links.found.size() == kMostObjects;
    if (!links.too_many) links.found.push_back({name, info->type});
  } catch (...) {
    links.too_many = true;
  }
  return links.too_many ? -1 : 0;
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  Hdf5Image read() {
    const Handle access = memory_access();
    // HDF5 copies the image, so that casting const away changes nothing.
    void* image = const_cast<std::byte*>(bytes_.data());
    if (H5Pset_file_image(access.get(), image, bytes_.size()) < 0)
      fail("cannot be taken into memory");
    const Handle file(H5Fopen(kNoFile, H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file.valid()) fail("not an HDF5 file");
    remaining_ = bytes_.size();
    visit(file.get(), "", true);
    if (!has_json_) fail("expected a dataset 'json'");
    std::ranges::sort(result_.arrays, {}, &NamedArray::name);
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(what_ + ": " + message);
  }
  [[noreturn]] void refuse(const std::string& path, const std::string& message) const {
    fail("'" + path + "' " + message);
  }

  // One level of groups; deeper ones are refused, so links cannot go round in circles.
  void visit(hid_t group, const std::string& prefix, bool may_hold_groups) {
    Links links;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &links) < 0) {
      fail(links.too_many ? "more objects than a checkpoint has"
                          : "its list of objects is damaged");
    }
    for (const Link& link : links.found) {
      const std::string path = prefix + link.name;
      if (++objects_ > kMostObjects) fail("more objects than a checkpoint has");
      if (link.type != H5L_TYPE_HARD) refuse(path, "leads elsewhere (a soft or external link)");
      const Handle object(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
      if (!object.valid()) refuse(path, "cannot be opened");
      const H5I_type_t kind = H5Iget_type(object.get());
      if (kind == H5I_GROUP && may_hold_groups) {
        visit(object.get(), path + "/", false);
      } else if (kind == H5I_DATASET) {
        read_dataset_checked(object.get(), path);
      } else {
        refuse(path, "is no dataset of a checkpoint");
      }
    }
  }

  void read_dataset_checked(hid_t dataset, const std::string& path) {
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const std::vector<hsize_t> shape = read_shape(dataset, path);
    if (path == kJsonName) return read_json(dataset, type.get(), shape);
    NamedArray array;
    array.name = unescape(path);
    if (array.name.empty()) refuse(path, "has a name that no checkpoint has");
    array.type = element_type(type.get(), path);
    array.shape.assign(shape.begin(), shape.end());
    array.bytes.resize(claim(dataset, path, size_of(array.type), shape));
    read_bytes(dataset, file_type(array.type), path, array.bytes.data(), array.bytes.size());
    result_.arrays.push_back(std::move(array));
  }

  std::vector<hsize_t> read_shape(hid_t dataset, const std::string& path) const {
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const H5S_class_t kind = H5Sget_simple_extent_type(space.get());
    const int rank = H5Sget_simple_extent_ndims(space.get());
    const bool plain = kind == H5S_SCALAR || kind == H5S_SIMPLE;
    if (!plain || rank < 0 || rank > kMostDimensions)
      refuse(path, "has a shape that no checkpoint has");
    std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
    if (H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr) != rank) {
      refuse(path, "has a damaged shape");
    }
    return shape;
  }

  ElementType element_type(hid_t type, const std::string& path) const {
    for (const ElementType known : kElementTypes) {
      if (H5Tequal(type, file_type(known)) > 0) return known;
    }
    refuse(path, "has elements of a type that no checkpoint has");
  }

  // The bytes of a dataset, once its storage is known to lie in this file and to be no larger.
  // Counted against the file's size over all datasets: many links to one dataset must not multiply
  // memory.
  std::uint64_t claim(hid_t dataset, const std::string& path, std::uint64_t element,
                      const std::vector<hsize_t>& shape) {
    std::uint64_t bytes = element;
    for (const hsize_t dimension : shape) {
      const bool overflow =
          __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes);
      if (overflow || dimension > INT64_MAX) refuse(path, "is larger than the file");
    }
    require_plain_storage(dataset, path, shape);
    if (bytes > remaining_ || H5Dget_storage_size(dataset) < bytes) {
      refuse(path, "is larger than the file");
    }
    remaining_ -= bytes;
    return bytes;
  }

  void require_plain_storage(hid_t dataset, const std::string& path,
                             const std::vector<hsize_t>& shape) const {
    const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
    if (!properties.valid()) refuse(path, "has damaged properties");
    if (H5Pget_external_count(properties.get()) != 0)
      refuse(path, "keeps its data in another file");
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (layout == H5D_CHUNKED) {
      // One chunk of exactly this shape: HDF5 allocates what the chunk claims to be.
      std::vector<hsize_t> chunk(shape.size() + 1);
      const int rank = H5Pget_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data());
      if (rank != static_cast<int>(shape.size()) ||
          !std::equal(shape.begin(), shape.end(), chunk.begin())) {
        refuse(path, "is cut into pieces, which no checkpoint is");
      }
    } else if (layout != H5D_CONTIGUOUS) {
      refuse(path, "is stored as no checkpoint is (compact or virtual)");
    }
    const int filters = H5Pget_nfilters(properties.get());
    unsigned flags = 0;
    std::size_t values = 0;
    for (int i = 0; i < filters; ++i) {
      const H5Z_filter_t filter = H5Pget_filter2(properties.get(), static_cast<unsigned>(i), &flags,
                                                 &values, nullptr, 0, nullptr, nullptr);
      if (filter != H5Z_FILTER_FLETCHER32)
        refuse(path, "is compressed or encoded, which no checkpoint is");
    }
    if (filters < 0 || filters > 1) refuse(path, "has filters that no checkpoint has");
  }

  void read_json(hid_t dataset, hid_t type, const std::vector<hsize_t>& shape) {
    const bool fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    if (!fixed || !shape.empty()) refuse(kJsonName, "is no text of a fixed length");
    result_.json.resize(claim(dataset, kJsonName, H5Tget_size(type), shape));
    read_bytes(dataset, type, kJsonName, result_.json.data(), result_.json.size());
    result_.json.resize(result_.json.find_last_not_of('\0') + 1);
    has_json_ = true;
  }

  void read_bytes(hid_t dataset, hid_t type, const std::string& path, void* into,
                  std::size_t size) const {
    if (size > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, into) < 0) {
      refuse(path, "cannot be read");
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& what_;
  std::uint64_t remaining_ = 0;  // bytes of datasets that may still come
  std::size_t objects_ = 0;
  bool has_json_ = false;
  Hdf5Image result_;
};

}  // namespace

Hdf5Image read_image(std::span<const std::byte> bytes, const std::string& what) {
  const auto lock = lock_library();
  return Reader(bytes, what).read();
}

}  // namespace pare::hdf5
