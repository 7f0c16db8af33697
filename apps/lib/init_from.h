// `--init-from`: the first weights of a run out of a file, in place of random ones.
//
// The file is told by its content: a checkpoint of ours (latent weights, pruned ones as zeros, and
// running statistics; its masks, quantizers and moments stay behind), a safetensors file with our
// names and layouts ("conv1.weight" [out, kh, kw, in]), or weights that Keras saved in HDF5
// (keras_weights.h). Every value of the network must be in it, and nothing else: a misspelt name
// would otherwise train from noise.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/tensor/shape.h"
#include "layers/network.h"

namespace pare {

struct NamedValues {
  Shape shape;
  std::vector<float> values;
};
// By the names of Network::visit_state: "conv1.weight", "norm1.mean".
using WeightSet = std::map<std::string, NamedValues>;

struct InitialWeights {
  std::string format;      // "a checkpoint", "a safetensors file", "a Keras file": for people
  std::string hash;        // SHA-256 of the file
  std::int64_t taken = 0;  // values
  std::vector<std::string> names;  // of the arrays taken
};

// For a network to which nothing is attached. Throws DataError (missing, damaged, of no known
// format; a value that is not finite) and ConfigError (another network: which array, expected,
// got).
InitialWeights init_from(Network& network, const std::string& path);

// SHA-256 of a file, as hex digits. Throws DataError.
std::string hash_of_file(const std::string& path);

}  // namespace pare
