// The `model` of a config: a list of nodes, or a path to one, and the Network that it describes.
//
// Reading resolves every shorthand: names, inputs, biases, and the node that `activation` implies.
// What is written back is therefore complete, and is what Network::to_json() says too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/forward.h"
#include "layers/network.h"
#include "layers/node_table.h"

namespace pare {

struct NodeConfig {
  std::string name;  // default: <kind>_<n>, the n-th node of that kind in the list
  std::string kind;
  std::vector<std::string> inputs;  // default: the node before, or "input"
  // Shorthand for a node <name>_<activation> that reads this one; none after reading.
  std::optional<std::string> activation;
  // The kind's own keys. Made anew by each reading, shared by copies, and not changed by them.
  std::shared_ptr<NodeOptions> options;
  // "configs/x.json:12:5: model[3]", or "" where no file says so.
  std::string where;

  void describe(config::Object& o, const NodeTable& table);
};

struct ModelConfig {
  std::vector<NodeConfig> nodes;
};

// o.field("model", model, model_type(), "..."): a list of nodes, or the path (relative to the
// config that names it) of a JSON file with such a list.
config::Type<ModelConfig> model_type();

// `input`: shape of one image, without batch. Throws ConfigError with the node's place: shapes that
// do not fit, names that are taken or unknown, a node that nobody reads, a last node that does not
// give [batch, classes]. Parameters are allocated, not initialized.
Network build_network(const ModelConfig& model, const Shape& input, int classes);

// Told after each node of a network that is being built.
using NodeBuilt = std::function<void(const Network&)>;

// The inverse of Network::to_json(). `table` needs a row for every kind that occurs; kinds beyond
// node_kinds() are the caller's. `built` may throw. Throws ConfigError.
Network network_from_json(const nlohmann::ordered_json& nodes, const Shape& input,
                          const NodeTable& table = node_kinds(), const NodeBuilt& built = nullptr);

}  // namespace pare
