// Weights that Keras saved in HDF5: layers with their arrays, in Keras's own names and layouts.
// What they mean for a network of ours is the caller's business.
//
// Three layouts (keras, src/legacy/saving and src/saving/saving_lib.py):
//   model.save("x.h5")               /model_weights with the attribute layer_names, below it a
//   group
//                                    per layer with weight_names, below it the arrays
//   model.save_weights("x.h5")       the same at the root (Keras 2)
//   model.save_weights("x.weights.h5")  /layers/<class>[_n]/vars/0, 1, ... (Keras 3)
//
// Such files carry no checksum, so libhdf5's parser meets whatever bytes there are, and it has
// known faults. It therefore runs in a process of its own with bounded memory and time: a file that
// makes it crash, grow or loop is an error here. Only plain arrays of float32 are read: contiguous
// or compact, no filters, no links out of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare {

struct KerasArray {
  std::string name;  // "conv2d/kernel:0", or "0"
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row-major
};

struct KerasLayer {
  std::string name;  // "conv2d_1"
  std::vector<KerasArray> arrays;
};

struct KerasFile {
  // True: layers stand in the order of the model. False (.weights.h5): sorted by name, and a name
  // is the layer's class and its number among its like.
  bool ordered = true;
  std::vector<KerasLayer> layers;  // without those that have no arrays
};

// Throws DataError that begins with `what`.
KerasFile decode_keras_h5(std::span<const std::byte> bytes, const std::string& what);
KerasFile load_keras_h5(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 30);

// Whether the bytes begin as an HDF5 file does.
bool looks_like_hdf5(std::span<const std::byte> bytes);

}  // namespace pare
