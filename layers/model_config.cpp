#include "layers/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/activation.h"

namespace pare {
namespace {

// null and absent are the same to read; absent is shorter to print.
config::Type<std::optional<std::string>> activation_type() {
  std::vector<std::string> names;
  for (const ActivationKind& row : activation_kinds()) names.emplace_back(row.name);
  config::Type<std::optional<std::string>> type = config::optional(config::choice(names));
  type.write = [](const std::optional<std::string>& x) {
    return x ? config::Json(*x) : config::omitted();
  };
  return type;
}

config::Type<std::string> name_type() {
  config::Type<std::string> type = config::text();
  type.write = [](const std::string& x) { return x.empty() ? config::omitted() : config::Json(x); };
  return type;
}

config::Type<NodeConfig> node_type(const NodeTable& table) {
  return {.read =
              [&table](const config::Node& node, NodeConfig& x) {
                x.where = node.value().origin.text() + ": " + node.path();
                config::detail::read_object(node, [&](config::Object& o) { x.describe(o, table); });
              },
          .write =
              [&table](const NodeConfig& x) {
                NodeConfig copy = x;
                return config::detail::write_object(
                    [&](config::Object& o) { copy.describe(o, table); });
              },
          .name = "node",
          .schema =
              [&table] {
                return config::detail::object_schema(
                    [&](config::Object& o) { NodeConfig().describe(o, table); });
              },
          .inside = [&table](config::Object& o) { NodeConfig().describe(o, table); }};
}

// A list with names, inputs and implied activations spelled out.
std::vector<NodeConfig> expand(const std::vector<NodeConfig>& given) {
  std::vector<NodeConfig> nodes;
  std::map<std::string, int> count;
  for (NodeConfig node : given) {
    const int n = ++count[node.kind];
    if (node.name.empty()) node.name = node.kind + "_" + std::to_string(n);
    if (node.inputs.empty()) {
      node.inputs = {nodes.empty() ? std::string(kInputNode) : nodes.back().name};
    }
    const std::optional<std::string> activation = std::exchange(node.activation, std::nullopt);
    nodes.push_back(std::move(node));
    if (!activation) continue;
    const NodeConfig& before = nodes.back();
    NodeConfig implied{.name = before.name + "_" + *activation,
                       .kind = *activation,
                       .inputs = {before.name},
                       .activation = std::nullopt,
                       .options = node_kind(node_kinds(), *activation).options(),
                       .where = before.where};
    nodes.push_back(std::move(implied));
  }
  return nodes;
}

std::vector<const NodeConfig*> readers(const std::vector<NodeConfig>& nodes,
                                       const std::string& name) {
  std::vector<const NodeConfig*> found;
  for (const NodeConfig& node : nodes) {
    if (std::count(node.inputs.begin(), node.inputs.end(), name)) found.push_back(&node);
  }
  return found;
}

// A bias before a batch_norm is subtracted again with the mean.
void decide_biases(std::vector<NodeConfig>& nodes) {
  for (NodeConfig& node : nodes) {
    const auto next = readers(nodes, node.name);
    node.options->default_bias(next.size() != 1 || next[0]->kind != "batch_norm");
  }
}

std::vector<NodeConfig> read_nodes(const config::Node& list, const NodeTable& table) {
  std::vector<NodeConfig> given;
  config::list(node_type(table)).read(list, given);
  if (given.empty()) list.fail("expected at least one node");
  std::vector<NodeConfig> nodes = expand(given);
  decide_biases(nodes);
  return nodes;
}

// The list of nodes in the file that `name` names.
config::Value model_file(const config::Node& name) {
  const std::string path =
      (std::filesystem::path(name.folder()) / name.text()).lexically_normal().string();
  if (!std::filesystem::exists(path)) name.fail(path + ": there is no such file");
  return config::parse_file(path);
}

std::string place(const NodeConfig& node) { return node.where.empty() ? "" : node.where + ": "; }

Network build(const std::vector<NodeConfig>& nodes, const Shape& input, const NodeBuilt& built) {
  Network network(input);
  for (const NodeConfig& node : nodes) {
    try {
      network.add(node.name, node.inputs, node.options->build());
    } catch (const ConfigError& error) {
      throw ConfigError(place(node) + error.what());
    }
    if (built) built(network);
  }
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    if (!network.readers(nodes[i].name).empty()) continue;
    throw ConfigError(fmt::format(
        "{}[{}] node '{}': nobody reads it and it is not the last node; name it in the inputs of "
        "another, or take it out",
        place(nodes[i]), nodes[i].kind, nodes[i].name));
  }
  return network;
}

}  // namespace

void NodeConfig::describe(config::Object& o, const NodeTable& table) {
  o.field("name", name, name_type(), "default: <kind>_<n>");
  std::vector<config::Alternative> alternatives;
  for (const NodeKind& row : table) {
    // Reading and documentation start from the kind's defaults; printing says what there is.
    alternatives.push_back({row.name, [this, &row](config::Object& inner) {
                              if (!options || kind != row.name) options = row.options();
                              options->describe(inner);
                            }});
  }
  o.alternatives("kind", kind, alternatives, "what the node computes");
  o.list("inputs", inputs, "names of the nodes it reads; default: the node before");
  o.field("activation", activation, activation_type(), "shorthand: a node that follows");
}

config::Type<ModelConfig> model_type() {
  const config::Type<std::vector<NodeConfig>> nodes = config::list(node_type(node_kinds()));
  return {.read =
              [](const config::Node& node, ModelConfig& x) {
                if (!node.is_text()) {
                  x.nodes = read_nodes(node, node_kinds());
                  return;
                }
                const config::Value file = model_file(node);
                x.nodes = read_nodes(config::Node(file, node.path()), node_kinds());
              },
          .write = [nodes](const ModelConfig& x) { return nodes.write(x.nodes); },
          .name = "list of nodes, or path to one",
          .schema =
              [nodes] {
                const config::Json path = {{"type", "string"}};
                return config::Json{{"anyOf", config::Json::array({nodes.schema(), path})}};
              },
          .inside = nodes.inside,
          .inside_path = "[]"};
}

Network build_network(const ModelConfig& model, const Shape& input, int classes) {
  PARE_ENSURE(!model.nodes.empty());
  Network network = build(model.nodes, input, nullptr);
  const NodeConfig& last = model.nodes.back();
  const Shape& output = network.node(last.name).shape;
  if (output != Shape{1, classes}) {
    throw ConfigError(fmt::format(
        "{}[{}] node '{}': expected the last node to give one value per class ([{}]), got {}; end "
        "with a dense of {} units",
        place(last), last.kind, last.name, classes, output.without_batch().to_string(), classes));
  }
  return network;
}

Network network_from_json(const nlohmann::ordered_json& nodes, const Shape& input,
                          const NodeTable& table, const NodeBuilt& built) {
  const config::Value list = config::parse_text(nodes.dump(), "network");
  return build(read_nodes(config::Node(list, "network"), table), input, built);
}

}  // namespace pare
