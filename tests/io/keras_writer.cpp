#include "tests/io/keras_writer.h"

#include <algorithm>

#include "framework/base/error.h"
#include "framework/io/hdf5_handle.h"

namespace pare {
namespace {

using hdf5::Handle;

class Writer {
 public:
  explicit Writer(NameTexts texts) : texts_(texts) {}

  std::vector<std::byte> write(const std::vector<KerasLayer>& layers, KerasLayout layout) {
    const auto lock = hdf5::lock_library();
    const Handle access = hdf5::memory_access();
    const Handle file(H5Fcreate(hdf5::kNoFile, H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
    if (layout == KerasLayout::weights_h5) {
      by_classes(file.get(), layers);
    } else if (layout == KerasLayout::model) {
      by_names(group(file.get(), "model_weights").get(), layers);
    } else {
      by_names(file.get(), layers);
    }
    H5Fflush(file.get(), H5F_SCOPE_GLOBAL);
    const ssize_t size = H5Fget_file_image(file.get(), nullptr, 0);
    PARE_ENSURE(size > 0);
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    H5Fget_file_image(file.get(), bytes.data(), bytes.size());
    return bytes;
  }

 private:
  static Handle group(hid_t parent, const std::string& name) {
    return {H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose};
  }

  void by_names(hid_t root, const std::vector<KerasLayer>& layers) const {
    std::vector<std::string> names;
    for (const KerasLayer& layer : layers) {
      names.push_back(layer.name);
      const Handle at = group(root, layer.name);
      std::vector<std::string> weights;
      for (const KerasArray& array : layer.arrays) {
        weights.push_back(array.name);
        dataset(at.get(), array.name, array);
      }
      attribute(at.get(), "weight_names", weights);
    }
    attribute(root, "layer_names", names);
  }

  void by_classes(hid_t root, const std::vector<KerasLayer>& layers) const {
    const Handle all = group(root, "layers");
    for (const KerasLayer& layer : layers) {
      const Handle variables = group(group(all.get(), layer.name).get(), "vars");
      for (std::size_t i = 0; i < layer.arrays.size(); ++i) {
        dataset(variables.get(), std::to_string(i), layer.arrays[i]);
      }
    }
  }

  void dataset(hid_t parent, const std::string& name, const KerasArray& array) const {
    const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                       H5Sclose);
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.get(), 1);
    const Handle data(H5Dcreate2(parent, name.c_str(), H5T_IEEE_F32LE, space.get(), links.get(),
                                 H5P_DEFAULT, H5P_DEFAULT),
                      H5Dclose);
    PARE_ENSURE(data.valid());
    H5Dwrite(data.get(), H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data());
  }

  // An empty list is one of float64, as NumPy makes it.
  void attribute(hid_t at, const char* name, const std::vector<std::string>& texts) const {
    const auto count = static_cast<hsize_t>(texts.size());
    const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const bool variable = texts_ == NameTexts::variable;
    std::size_t longest = 1;
    for (const std::string& text : texts) longest = std::max(longest, text.size());
    const Handle type(H5Tcopy(texts.empty() ? H5T_IEEE_F64LE : H5T_C_S1), H5Tclose);
    if (!texts.empty()) H5Tset_size(type.get(), variable ? H5T_VARIABLE : longest);
    const Handle list(H5Acreate2(at, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose);
    PARE_ENSURE(list.valid());
    if (texts.empty()) return;
    std::vector<const char*> pointers;
    std::string fixed;
    for (const std::string& text : texts) {
      pointers.push_back(text.c_str());
      fixed += text + std::string(longest - text.size(), '\0');
    }
    H5Awrite(list.get(), type.get(),
             variable ? static_cast<const void*>(pointers.data()) : fixed.data());
  }

  NameTexts texts_;
};

}  // namespace

std::vector<std::byte> write_keras(const std::vector<KerasLayer>& layers, KerasLayout layout,
                                   NameTexts names) {
  return Writer(names).write(layers, layout);
}

}  // namespace pare
