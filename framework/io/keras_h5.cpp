// In the guarded process: HDF5 to layers to bytes. Here: those bytes to layers again, checked as if
// a stranger had sent them.
#include "framework/io/keras_h5.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/guarded.h"
#include "framework/io/hdf5_handle.h"

namespace pare {
namespace {

using hdf5::Handle;

constexpr std::size_t kMostLayers = 4096;
constexpr std::size_t kLongestName = 1024;
constexpr const char* kLayerNames = "layer_names";
constexpr const char* kWeightNames = "weight_names";
constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  KerasFile read() {
    const Handle access = hdf5::memory_access();
    // HDF5 copies the image, so that casting const away changes nothing.
    void* image = const_cast<std::byte*>(bytes_.data());
    if (H5Pset_file_image(access.get(), image, bytes_.size()) < 0) fail("no memory");
    const Handle file(H5Fopen(hdf5::kNoFile, H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file.valid()) fail("not an HDF5 file, or damaged");
    if (H5Aexists(file.get(), kLayerNames) > 0) return by_names(file.get());
    if (has(file.get(), "model_weights")) return by_names(open(file.get(), "model_weights").get());
    if (has(file.get(), "layers")) return by_classes(open(file.get(), "layers").get());
    fail("expected weights as Keras saves them: model_weights, layer_names or layers");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(what_ + ": " + message);
  }

  // Hard links only, one step at a time.
  bool has(hid_t group, const std::string& name) const {
    H5L_info_t info;
    const bool named = !name.empty() && name.size() <= kLongestName && name != ".";
    return named && H5Lexists(group, name.c_str(), H5P_DEFAULT) > 0 &&
           H5Lget_info(group, name.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
  }

  Handle open(hid_t group, const std::string& path) const {
    const std::size_t slash = path.find('/');
    const std::string first = path.substr(0, slash);
    if (!has(group, first)) fail("'" + path + "' is missing, or leads elsewhere");
    Handle object(H5Oopen(group, first.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.valid()) fail("'" + path + "' cannot be opened");
    if (slash == std::string::npos) return object;
    if (H5Iget_type(object.get()) != H5I_GROUP) fail("'" + first + "' is no group");
    return open(object.get(), path.substr(slash + 1));
  }

  // A list of texts, of a fixed length or not.
  std::vector<std::string> names(hid_t object, const char* attribute) const {
    const Handle list(H5Aopen(object, attribute, H5P_DEFAULT), H5Aclose);
    if (!list.valid()) fail(std::string("expected an attribute '") + attribute + "'");
    const Handle type(H5Aget_type(list.get()), H5Tclose);
    const Handle space(H5Aget_space(list.get()), H5Sclose);
    const hssize_t count = H5Sget_simple_extent_npoints(space.get());
    if (count < 0 || static_cast<std::size_t>(count) > kMostLayers)
      fail(std::string("'") + attribute + "' is longer than any model's");
    if (count == 0) return {};
    if (H5Tget_class(type.get()) != H5T_STRING)
      fail(std::string("'") + attribute + "' is no list of names");
    return H5Tis_variable_str(type.get()) > 0
               ? variable_names(list.get(), type.get(), space.get(),
                                static_cast<std::size_t>(count))
               : fixed_names(list.get(), type.get(), static_cast<std::size_t>(count));
  }

  std::vector<std::string> fixed_names(hid_t list, hid_t type, std::size_t count) const {
    const std::size_t length = H5Tget_size(type);
    if (length == 0 || length > kLongestName) fail("a list of names has names too long");
    std::vector<char> text(count * length);
    if (H5Aread(list, type, text.data()) < 0) fail("a list of names cannot be read");
    std::vector<std::string> result;
    for (std::size_t i = 0; i < count; ++i) {
      const char* begin = text.data() + i * length;
      result.emplace_back(begin, strnlen(begin, length));
    }
    return result;
  }

  std::vector<std::string> variable_names(hid_t list, hid_t type, hid_t space,
                                          std::size_t count) const {
    std::vector<char*> texts(count, nullptr);
    if (H5Aread(list, type, texts.data()) < 0) fail("a list of names cannot be read");
    std::vector<std::string> result;
    result.reserve(count);
    for (const char* text : texts) result.emplace_back(text ? text : "");
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data());
    return result;
  }

  KerasFile by_names(hid_t group) {
    KerasFile file;
    for (const std::string& name : names(group, kLayerNames)) {
      const Handle layer = open(group, name);
      KerasLayer read{.name = name, .arrays = {}};
      for (const std::string& weight : names(layer.get(), kWeightNames)) {
        read.arrays.push_back(array(open(layer.get(), weight).get(), weight));
      }
      if (!read.arrays.empty()) file.layers.push_back(std::move(read));
    }
    return file;
  }

  KerasFile by_classes(hid_t group) {
    KerasFile file;
    file.ordered = false;
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > kMostLayers) fail("its layers are damaged");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      char name[kLongestName + 1] = {};
      const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                sizeof name, H5P_DEFAULT);
      if (length <= 0 || static_cast<std::size_t>(length) > kLongestName) fail("a damaged name");
      const Handle layer = open(group, name);
      if (H5Iget_type(layer.get()) != H5I_GROUP || !has(layer.get(), "vars")) continue;
      const Handle variables = open(layer.get(), "vars");
      KerasLayer read{.name = name, .arrays = {}};
      for (std::string k = "0"; has(variables.get(), k) && read.arrays.size() < 16;
           k = std::to_string(read.arrays.size())) {
        read.arrays.push_back(array(open(variables.get(), k).get(), k));
      }
      if (!read.arrays.empty()) file.layers.push_back(std::move(read));
    }
    return file;
  }

  KerasArray array(hid_t dataset, const std::string& name) {
    if (H5Iget_type(dataset) != H5I_DATASET) fail("'" + name + "' is no array");
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = H5Sget_simple_extent_ndims(space.get());
    if (rank < 1 || rank > hdf5::kMostDimensions)
      fail("'" + name + "': expected 1 to 4 dimensions");
    std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
    if (H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr) != rank)
      fail("'" + name + "' has a damaged shape");
    require_plain(dataset, name);
    std::uint64_t elements = 1;
    for (const hsize_t extent : shape) {
      if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(extent), &elements)) {
        fail("'" + name + "' is larger than the file");
      }
    }
    // Counted over all arrays: many links to one of them must not multiply memory.
    if (elements > (bytes_.size() - claimed_) / sizeof(float) ||
        H5Dget_storage_size(dataset) < elements * sizeof(float)) {
      fail("'" + name + "' is larger than the file");
    }
    claimed_ += elements * sizeof(float);
    KerasArray read{.name = name, .shape = {shape.begin(), shape.end()}, .values = {}};
    read.values.resize(elements);
    if (elements > 0 &&
        H5Dread(dataset, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, read.values.data()) < 0) {
      fail("'" + name + "' cannot be read");
    }
    return read;
  }

  void require_plain(hid_t dataset, const std::string& name) const {
    const Handle type(H5Dget_type(dataset), H5Tclose);
    if (H5Tequal(type.get(), H5T_IEEE_F32LE) <= 0)
      fail("'" + name + "': expected float32 (little-endian)");
    const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
    if (!properties.valid()) fail("'" + name + "' has damaged properties");
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (H5Pget_external_count(properties.get()) != 0 || H5Pget_nfilters(properties.get()) != 0 ||
        (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT)) {
      fail("'" + name + "' is compressed, chunked or kept elsewhere; save it plainly");
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& what_;
  std::uint64_t claimed_ = 0;  // bytes of arrays so far
};

void write_text(ByteWriter& writer, const std::string& text) {
  writer.u32(static_cast<std::uint32_t>(text.size()));
  writer.text(text);
}

std::vector<std::byte> to_bytes(const KerasFile& file) {
  ByteWriter writer;
  writer.u8(file.ordered ? 1 : 0);
  writer.u32(static_cast<std::uint32_t>(file.layers.size()));
  for (const KerasLayer& layer : file.layers) {
    write_text(writer, layer.name);
    writer.u32(static_cast<std::uint32_t>(layer.arrays.size()));
    for (const KerasArray& array : layer.arrays) {
      write_text(writer, array.name);
      writer.u32(static_cast<std::uint32_t>(array.shape.size()));
      for (const std::int64_t extent : array.shape) writer.u64(static_cast<std::uint64_t>(extent));
      writer.u64(array.values.size());
      writer.bytes(std::as_bytes(std::span(array.values)));
    }
  }
  return writer.result();
}

KerasArray array_from(ByteReader& reader) {
  KerasArray array{.name = reader.text(reader.u32()), .shape = {}, .values = {}};
  std::uint64_t elements = 1;
  for (std::uint32_t rank = reader.u32(); rank > 0; --rank) {
    array.shape.push_back(static_cast<std::int64_t>(reader.u64()));
    elements *= static_cast<std::uint64_t>(array.shape.back());
  }
  const std::uint64_t count = reader.u64();
  if (count != elements || count > reader.remaining() / sizeof(float))
    reader.fail("its shapes and sizes do not agree");
  const auto bytes = reader.bytes(count * sizeof(float));
  array.values.resize(count);
  if (count > 0) std::memcpy(array.values.data(), bytes.data(), bytes.size());
  return array;
}

KerasFile from_bytes(std::span<const std::byte> bytes, const std::string& what) {
  ByteReader reader(bytes, what);
  KerasFile file;
  file.ordered = reader.u8() != 0;
  for (std::uint32_t layers = reader.u32(); layers > 0; --layers) {
    KerasLayer layer{.name = reader.text(reader.u32()), .arrays = {}};
    for (std::uint32_t arrays = reader.u32(); arrays > 0; --arrays) {
      layer.arrays.push_back(array_from(reader));
    }
    file.layers.push_back(std::move(layer));
  }
  reader.expect_end();
  return file;
}

}  // namespace

KerasFile decode_keras_h5(std::span<const std::byte> bytes, const std::string& what) {
  if (!looks_like_hdf5(bytes)) throw DataError(what + ": not an HDF5 file");
  const Guard guard{.memory = (std::uint64_t{64} << 20) + 8 * bytes.size(), .seconds = 10};
  const auto parse = [&] {
    const auto lock = hdf5::lock_library();
    return to_bytes(Reader(bytes, what).read());
  };
  return from_bytes(run_guarded(guard, what, parse), what);
}

KerasFile load_keras_h5(const std::string& path, std::uint64_t limit) {
  return decode_keras_h5(read_file(path, limit), path);
}

bool looks_like_hdf5(std::span<const std::byte> bytes) {
  return bytes.size() >= kSignature.size() &&
         std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

}  // namespace pare
