#include "apps/lib/keras_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/base/error.h"
#include "layers/conv2d.h"

namespace pare {
namespace {

using Extents = std::vector<std::int64_t>;

// Keras's class of a node with weights, in the form that names its groups; "" for other nodes.
std::string keras_class(std::string_view kind) {
  if (kind == "batch_norm") return "batch_normalization";
  return kind == "conv2d" || kind == "depthwise_conv2d" || kind == "dense" ? std::string(kind) : "";
}

// Numbers of a kernel in our order, from Keras's. `channels` are ours.
std::vector<float> reordered(const std::string& kind, const Shape& ours,
                             const std::vector<float>& from) {
  if (kind == "depthwise_conv2d")
    return from;  // [kh, kw, in, multiplier] is [kh, kw, in * multiplier]
  const std::int64_t out = ours[0], taps = ours.size() / out;
  std::vector<float> to(from.size());
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t t = 0; t < taps; ++t) {
      to[static_cast<std::size_t>(o * taps + t)] = from[static_cast<std::size_t>(t * out + o)];
    }
  }
  return to;
}

// One layer on its way into one node.
class Layer {
 public:
  Layer(const NetworkNode& node, const KerasLayer& layer, const std::string& what)
      : node_(node), layer_(layer), what_(what), kind_(node.module->kind()) {}

  void read_into(WeightSet& weights) const {
    if (const auto* weighted = dynamic_cast<const Weighted*>(node_.module.get())) {
      expect_arrays(weighted->bias() ? 2 : 1, weighted->bias() ? "kernel and bias" : "a kernel");
      const Shape& ours = weighted->weight().shape();
      expect_shape(0, "kernel", kernel_shape(*weighted));
      weights[node_.name + ".weight"] = {ours, reordered(kind_, ours, layer_.arrays[0].values)};
      if (weighted->bias())
        vector_into(weights, 1, "bias", ours[weighted->weight().channel_axis()]);
      return;
    }
    expect_arrays(4, "gamma, beta, moving mean and moving variance");
    const char* const roles[] = {"scale", "shift", "mean", "variance"};
    for (std::size_t i = 0; i < 4; ++i) vector_into(weights, i, roles[i], node_.shape[-1]);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw ConfigError(fmt::format("{}: layer '{}' (for node '{}', a {}): {}", what_, layer_.name,
                                  node_.name, kind_, message));
  }

  void expect_arrays(std::size_t count, const std::string& which) const {
    if (layer_.arrays.size() == count) return;
    fail(fmt::format("expected {}, got {} arrays", which, layer_.arrays.size()));
  }

  void expect_shape(std::size_t index, const std::string& role, const Extents& expected) const {
    const Extents& got = layer_.arrays[index].shape;
    if (got == expected) return;
    fail(fmt::format("expected a {} of shape [{}], got [{}]", role, fmt::join(expected, ", "),
                     fmt::join(got, ", ")));
  }

  // What Keras calls the shape of our weight.
  Extents kernel_shape(const Weighted& weighted) const {
    const Shape& w = weighted.weight().shape();
    if (kind_ == "dense") return {w[1], w[0]};
    if (kind_ == "conv2d") return {w[1], w[2], w[3], w[0]};
    const auto& depthwise = dynamic_cast<const DepthwiseConv2d&>(weighted);
    return {w[1], w[2], w[3] / depthwise.multiplier(), depthwise.multiplier()};
  }

  void vector_into(WeightSet& weights, std::size_t index, const std::string& role,
                   std::int64_t size) const {
    expect_shape(index, role, {size});
    weights[node_.name + "." + role] = {Shape{size}, layer_.arrays[index].values};
  }

  const NetworkNode& node_;
  const KerasLayer& layer_;
  const std::string& what_;
  std::string kind_;
};

// The layer of the n-th node of a class (from 0): "conv2d", "conv2d_1", ...
const KerasLayer& by_class(const KerasFile& file, const std::string& name, int n,
                           const NetworkNode& node, const std::string& what) {
  const std::string wanted = n == 0 ? name : name + "_" + std::to_string(n);
  for (const KerasLayer& layer : file.layers) {
    if (layer.name == wanted) return layer;
  }
  throw ConfigError(fmt::format("{}: holds no layer '{}' for node '{}'", what, wanted, node.name));
}

}  // namespace

WeightSet keras_weights(const Network& network, const KerasFile& file, const std::string& what) {
  std::vector<const NetworkNode*> nodes;
  for (const NetworkNode& node : network.nodes()) {
    if (!keras_class(node.module->kind()).empty()) nodes.push_back(&node);
  }
  if (nodes.size() != file.layers.size()) {
    throw ConfigError(fmt::format("{}: holds {} layers with weights, the network has {}", what,
                                  file.layers.size(), nodes.size()));
  }
  WeightSet weights;
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string name = keras_class(nodes[i]->module->kind());
    const KerasLayer& layer =
        file.ordered ? file.layers[i] : by_class(file, name, seen[name]++, *nodes[i], what);
    Layer(*nodes[i], layer, what).read_into(weights);
  }
  return weights;
}

}  // namespace pare
