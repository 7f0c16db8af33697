// A network with everything that is attached to it, as JSON: nodes (inserted ones too), their
// shapes, and the chain of transforms of every parameter. What a checkpoint keeps beside the
// arrays, so that loading never depends on how the network came to be.
//
// The values are not in it: weights, masks, ranges and statistics are state (Network::visit_state).
//
//   {"input": [28, 28, 1],
//    "nodes": [{"name": "conv1", "kind": "conv2d", "inputs": ["input"], "filters": 8, ...}, ...],
//    "shapes": {"conv1": [24, 24, 8], ...},
//    "chains": {"conv1.weight": [{"kind": "mask", "mask_gradient": true}, ...], ...}}
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "layers/model_config.h"

namespace pare {

nlohmann::ordered_json describe_network(const Network& network);

// The inverse; parameters are allocated, not initialized. `built`, where given, is called after
// each node with the network so far and may throw: parameters that nobody has values for need not
// be allocated to the end. Throws ConfigError where the JSON describes no network or its shapes are
// not those that the nodes give, nlohmann::json::exception where a key is missing or of another
// type.
Network rebuild_network(const nlohmann::ordered_json& json, const NodeBuilt& built = nullptr);

}  // namespace pare
