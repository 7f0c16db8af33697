// The folded network is built from the description of the other one without the batch norms; values
// of the same name are copied, those of folded layers computed.
#include "compression/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "compression/groups.h"
#include "compression/network_json.h"
#include "compression/quantize/grid.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "layers/batch_norm.h"
#include "layers/weighted.h"

namespace pare {
namespace {

using Json = nlohmann::ordered_json;

// A layer and the batch norm behind it.
struct Pair {
  std::string layer, norm;
};

std::vector<Pair> pairs_of(const Network& network) {
  std::vector<Pair> pairs;
  for (const Group& group : find_groups(network)) {
    const bool behind = !group.batch_norm.empty() && group.batch_norm != group.head;
    if (behind) pairs.push_back({group.head, group.batch_norm});
  }
  return pairs;
}

Weighted& layer_of(const Network& network, const Pair& pair) {
  return dynamic_cast<Weighted&>(*network.node(pair.layer).module);
}
BatchNorm& norm_of(const Network& network, const Pair& pair) {
  return dynamic_cast<BatchNorm&>(*network.node(pair.norm).module);
}

void require_plain(const Network& network, const Pair& pair) {
  Weighted& layer = layer_of(network, pair);
  BatchNorm& norm = norm_of(network, pair);
  const auto refuse = [&](const Parameter& parameter) {
    throw ConfigError(fmt::format(
        "batch_norm: '{}' has a {} already, which would not survive that '{}' is folded into '{}'; "
        "apply this method first, or take \"absorb\"",
        parameter.path(), parameter.chain().front()->kind(), pair.norm, pair.layer));
  };
  for (const Parameter* parameter : {&norm.scale(), &norm.shift(), layer.bias()}) {
    if (parameter && !parameter->chain().empty()) refuse(*parameter);
  }
  if (layer.weight().find(kWeightQuantizer)) refuse(layer.weight());
}

// Without the batch norms, whose readers read the layers; every layer has a bias.
Json description_of(const Network& network, const std::vector<Pair>& pairs) {
  Json json = describe_network(network);
  const auto folded_into = [&](const std::string& node) {
    for (const Pair& pair : pairs) {
      if (pair.norm == node) return pair.layer;
    }
    return node;
  };
  Json nodes = Json::array();
  for (Json node : json["nodes"]) {
    const auto name = node["name"].get<std::string>();
    if (folded_into(name) != name) {
      json["shapes"].erase(name);
      continue;
    }
    for (Json& input : node["inputs"]) input = folded_into(input.get<std::string>());
    for (const Pair& pair : pairs) {
      if (pair.layer == name) node["bias"] = true;
    }
    nodes.push_back(std::move(node));
  }
  json["nodes"] = std::move(nodes);
  return json;
}

// Everything by name.
class Copies final : public StateVisitor {
 public:
  void tensor(const std::string& name, Tensor& value) override { visit(tensors_, name, value); }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    visit(bytes_, name, value);
  }
  void integer(const std::string& name, std::int64_t& value) override {
    visit(integers_, name, value);
  }
  void real(const std::string& name, double& value) override { visit(reals_, name, value); }
  bool giving = false;  // back, where the name is known

 private:
  template <class T>
  void visit(std::map<std::string, T>& kept, const std::string& name, T& value) {
    if (!giving) {
      kept[name] = value;
    } else if (const auto found = kept.find(name); found != kept.end()) {
      if constexpr (std::is_same_v<T, Tensor>)
        value = found->second.defined() ? found->second.clone() : Tensor();
      else
        value = found->second;
    }
  }
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::vector<std::uint8_t>> bytes_;
  std::map<std::string, std::int64_t> integers_;
  std::map<std::string, double> reals_;
};

void fold(Weighted& before, BatchNorm& norm, Weighted& after) {
  Parameter& weight = after.weight();
  const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
  float* w = weight.latent().mutable_data();
  float* b = after.bias()->latent().mutable_data();
  for (std::int64_t c = 0; c < view.channels; ++c) {
    const auto at = [c](const Tensor& tensor) { return static_cast<double>(tensor.data()[c]); };
    const double a = at(norm.scale().latent()) / std::sqrt(at(norm.variance()) + norm.epsilon());
    const double own = before.bias() ? at(before.bias()->latent()) : 0;
    b[c] = static_cast<float>(at(norm.shift().latent()) + a * (own - at(norm.mean())));
    for (std::int64_t o = 0; o < view.outer; ++o) {
      float* run = w + (o * view.channels + c) * view.inner;
      for (std::int64_t i = 0; i < view.inner; ++i)
        run[i] = static_cast<float>(a * static_cast<double>(run[i]));
    }
  }
}

}  // namespace

Network fold_batch_norms(Network& network) {
  network.release();
  const std::vector<Pair> pairs = pairs_of(network);
  for (const Pair& pair : pairs) require_plain(network, pair);
  Network folded = rebuild_network(description_of(network, pairs));
  Copies copies;
  network.visit_state(copies);
  copies.giving = true;
  folded.visit_state(copies);
  for (const Pair& pair : pairs)
    fold(layer_of(network, pair), norm_of(network, pair), layer_of(folded, pair));
  return folded;
}

}  // namespace pare
