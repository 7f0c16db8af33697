#include "apps/lib/init_from.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "apps/lib/checkpoint.h"
#include "apps/lib/keras_weights.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/text.h"
#include "framework/io/hdf5_image.h"
#include "framework/io/keras_h5.h"
#include "framework/io/safetensors.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{4} << 30;

// Every array of floats that a network without compression has, by name.
class Targets final : public StateVisitor {
 public:
  void tensor(const std::string& name, Tensor& value) override { found[name] = &value; }
  void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
  void integer(const std::string&, std::int64_t&) override {}
  void real(const std::string&, double&) override {}
  std::map<std::string, Tensor*> found;
};

Shape shape_from(const std::vector<std::int64_t>& extents) {
  Shape shape;
  for (const std::int64_t extent : extents) shape.append(extent);
  return shape;
}

NamedValues values_of(const NamedArray& array) {
  NamedValues result{.shape = shape_from(array.shape), .values = {}};
  result.values.resize(array.bytes.size() / sizeof(float));
  if (!result.values.empty())
    std::memcpy(result.values.data(), array.bytes.data(), array.bytes.size());
  return result;
}

// Names below a transform ("conv1.weight/mask") are not a network's own.
WeightSet from_checkpoint(const Checkpoint& checkpoint) {
  WeightSet weights;
  std::map<std::string, const NamedArray*> masks;
  for (const NamedArray& array : part_of(checkpoint.arrays, kNetworkArrays)) {
    const std::string name = array.name.substr(std::strlen(kNetworkArrays));
    const bool own = name.find('/') == std::string::npos;
    if (own && array.type == ElementType::float32) weights[name] = values_of(array);
  }
  for (const NamedArray& array : checkpoint.arrays) {
    if (!array.name.ends_with("/mask") || array.type != ElementType::uint8) continue;
    const std::size_t begin = std::strlen(kNetworkArrays), end = array.name.rfind('/');
    if (end < begin) continue;
    const auto pruned = weights.find(array.name.substr(begin, end - begin));
    if (pruned == weights.end() || pruned->second.values.size() != array.bytes.size()) continue;
    for (std::size_t i = 0; i < array.bytes.size(); ++i) {
      if (array.bytes[i] == std::byte{0}) pruned->second.values[i] = 0;
    }
  }
  return weights;
}

WeightSet from_safetensors(const SafeTensors& file, const std::string& path) {
  WeightSet weights;
  for (const NamedArray& array : file.arrays) {
    if (array.type != ElementType::float32) {
      throw ConfigError(path + ": '" + array.name + "': expected float32 (F32)");
    }
    weights[array.name] = values_of(array);
  }
  return weights;
}

// PyTorch's order of a convolution's extents, where it would explain what came.
std::string hint(const Shape& expected, const Shape& got) {
  if (expected.rank() != 4 || got.rank() != 4) return "";
  const bool torch = got[0] == expected[0] && got[1] == expected[3] && got[2] == expected[1] &&
                     got[3] == expected[2];
  return torch ? "; it looks like PyTorch's order [out, in, height, width]: save "
                 "weight.permute(0, 2, 3, 1)"
               : "";
}

void require_same_names(const std::map<std::string, Tensor*>& targets, const WeightSet& weights,
                        const std::string& path) {
  std::vector<std::string> there;
  for (const auto& [name, values] : weights) there.push_back(name);
  for (const auto& [name, target] : targets) {
    if (weights.contains(name)) continue;
    throw ConfigError(fmt::format("{}: holds no '{}'{}; it holds {}", path, name,
                                  suggestion(name, there), join(there, ", ")));
  }
  for (const std::string& name : there) {
    if (targets.contains(name)) continue;
    throw ConfigError(fmt::format("{}: holds '{}', which the network has not", path, name));
  }
}

void assign(const std::string& name, const NamedValues& from, Tensor& to, const std::string& path) {
  if (from.shape != to.shape()) {
    throw ConfigError(fmt::format("{}: '{}': expected the shape {}, got {}{}", path, name,
                                  to.shape().to_string(), from.shape.to_string(),
                                  hint(to.shape(), from.shape)));
  }
  const bool finite = std::all_of(from.values.begin(), from.values.end(),
                                  [](float value) { return std::isfinite(value); });
  if (!finite) throw DataError(path + ": '" + name + "' holds a number that is not finite");
  std::copy(from.values.begin(), from.values.end(), to.mutable_data());
}

}  // namespace

InitialWeights init_from(Network& network, const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  InitialWeights initial{.format = "", .hash = hex(sha256(bytes)), .taken = 0, .names = {}};
  WeightSet weights;
  if (has_hdf5_trailer(bytes)) {
    initial.format = "a checkpoint";
    weights = from_checkpoint(decode_checkpoint(bytes, path));
  } else if (looks_like_hdf5(bytes)) {
    initial.format = "a Keras file";
    weights = keras_weights(network, decode_keras_h5(bytes, path), path);
  } else if (looks_like_safetensors(bytes)) {
    initial.format = "a safetensors file";
    weights = from_safetensors(decode_safetensors(bytes, path), path);
  } else {
    throw DataError(path +
                    ": expected a checkpoint of Pare, a safetensors file, or weights saved by "
                    "Keras in HDF5; it is none of them");
  }
  Targets targets;
  network.release();
  network.visit_state(targets);
  require_same_names(targets.found, weights, path);
  for (const auto& [name, target] : targets.found) {
    assign(name, weights.at(name), *target, path);
    initial.taken += target->size();
    initial.names.push_back(name);
  }
  return initial;
}

std::string hash_of_file(const std::string& path) {
  return hex(sha256(read_file(path, kLargestFile)));
}

}  // namespace pare
