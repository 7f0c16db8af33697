#include "compression/network_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/inputs.h"

namespace pare {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLargestInput = std::int64_t{1} << 26;  // the integer engine's limit
constexpr std::size_t kMostNodes = 4096;                       // likewise

Json extents(const Shape& shape) {
  Json list = Json::array();
  for (int axis = 0; axis < shape.rank(); ++axis) list.push_back(shape[axis]);
  return list;
}

// One row per kind of transform that a chain may hold.
struct TransformRow {
  std::string_view kind;
  std::unique_ptr<Transform> (*make)(const config::Value& keys, const Parameter& parameter);
};

struct MaskKeys {
  bool mask_gradient = true;
  void describe(config::Object& o) {
    o.boolean("mask_gradient", mask_gradient, "pruned weights get no gradient");
  }
};

std::unique_ptr<Transform> make_mask(const config::Value& keys, const Parameter& parameter) {
  const auto read = config::read<MaskKeys>(keys);
  return std::make_unique<Mask>(parameter.shape().size(), read.mask_gradient);
}

std::unique_ptr<Transform> make_weight_quantizer(const config::Value& keys,
                                                 const Parameter& parameter) {
  return std::make_unique<WeightQuantizer>(config::read<WeightQuantizerConfig>(keys), parameter);
}

constexpr TransformRow kTransforms[] = {{kMask, make_mask},
                                        {kWeightQuantizer, make_weight_quantizer}};

// The layers' kinds and those of inserted nodes.
NodeTable table_with_inserted() {
  NodeTable table = node_kinds();
  table.push_back(kind_with_options<ActivationQuantizer>("fake_quant"));
  table.push_back(plain_kind("average_codes", [] { return std::make_unique<AverageCodes>(); }));
  return table;
}

Shape input_from(const Json& json) {
  const auto given = json.get<std::vector<std::int64_t>>();
  Shape shape;
  const bool rank_fits = !given.empty() && given.size() < Shape::kMaxRank;
  const bool extents_fit = std::all_of(
      given.begin(), given.end(), [](std::int64_t n) { return n >= 1 && n <= kLargestExtent; });
  if (rank_fits && extents_fit) {
    for (const std::int64_t n : given) shape.append(n);
    if (shape.size() <= kLargestInput) return shape;
  }
  throw ConfigError("network: expected the shape of one image as 'input', got " + json.dump());
}

void append_transform(Parameter& parameter, Json entry) {
  const auto kind = entry.at("kind").get<std::string>();
  entry.erase("kind");
  const auto row = std::find_if(std::begin(kTransforms), std::end(kTransforms),
                                [&](const TransformRow& r) { return r.kind == kind; });
  if (row == std::end(kTransforms) || parameter.find(kind)) {
    throw ConfigError(
        fmt::format("network: '{}' has a transform '{}' that is unknown or there twice",
                    parameter.path(), kind));
  }
  const config::Value keys = config::parse_text(entry.dump(), "network");
  parameter.insert(parameter.chain().size(), row->make(keys, parameter));
}

void add_chains(Network& network, const Json& chains) {
  std::size_t used = 0;
  for (Parameter* parameter : network.parameters()) {
    const auto chain = chains.find(parameter->path());
    if (chain == chains.end()) continue;
    ++used;
    for (const Json& entry : *chain) append_transform(*parameter, entry);
  }
  if (used != chains.size()) throw ConfigError("network: a chain of a parameter that is not there");
}

void expect_shapes(const Network& network, const Json& shapes) {
  for (const NetworkNode& node : network.nodes()) {
    const Json built = extents(node.shape.without_batch());
    const Json& said = shapes.at(node.name);
    if (said != built) {
      throw ConfigError(fmt::format("network: node '{}': expected the shape {}, got {}", node.name,
                                    built.dump(), said.dump()));
    }
  }
}

}  // namespace

Json describe_network(const Network& network) {
  Json shapes = Json::object(), chains = Json::object();
  for (const NetworkNode& node : network.nodes()) {
    shapes[node.name] = extents(node.shape.without_batch());
  }
  for (const Parameter* parameter : network.parameters()) {
    for (const auto& transform : parameter->chain()) {
      Json entry = {{"kind", transform->kind()}};
      entry.update(transform->to_json());
      chains[parameter->path()].push_back(std::move(entry));
    }
  }
  return {{"input", extents(network.input_shape())},
          {"nodes", network.to_json()},
          {"shapes", std::move(shapes)},
          {"chains", std::move(chains)}};
}

Network rebuild_network(const Json& json, const NodeBuilt& built) {
  static const NodeTable table = table_with_inserted();
  const Json& nodes = json.at("nodes");
  if (nodes.size() > kMostNodes) throw ConfigError("network: it has more nodes than any of ours");
  Network network = network_from_json(nodes, input_from(json.at("input")), table, built);
  expect_shapes(network, json.at("shapes"));
  if (!connect_averages(network)) {
    throw ConfigError("network: a code average stands behind no average pool with a grid");
  }
  add_chains(network, json.at("chains"));
  return network;
}

}  // namespace pare
