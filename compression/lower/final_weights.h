// One group with weights in integers: codes, effective scales with batch norm absorbed, bias codes,
// multipliers.
#pragma once

#include "compression/groups.h"
#include "compression/lower/final.h"

namespace pare {

// `in` and `out` are the grids of the edges around the group; the scale of `out` is raised where
// the group's multipliers would not fit. Adds to `raised_channels`. Throws ConfigError naming the
// node.
FinalWeights final_weights(const Network& network, const Group& group, const FinalEdge& in,
                           FinalEdge& out, std::int64_t& raised_channels);

// Throws the ConfigError of all refusals: "node 'x' cannot become integers: <reason>".
[[noreturn]] void refuse_integers(const std::string& node, const std::string& reason);

}  // namespace pare
