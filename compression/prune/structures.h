// How a network's weights are cut into groups: one function per granularity, behind find_targets()
// (target.h).
#pragma once

#include <vector>

#include "compression/prune/target.h"

namespace pare {

// A target of one weight whose groups are its elements, N:M windows of them, or blocks.
PruneTarget weight_target(Parameter& weight, const PruneConfig& config);

// Filters or neurons: spaces of channels that the selected weights make.
std::vector<PruneTarget> maker_targets(const Network& network,
                                       const std::vector<Parameter*>& selected,
                                       const PruneConfig& config);
// Channels: spaces of channels that the selected weights read.
std::vector<PruneTarget> reader_targets(const Network& network,
                                        const std::vector<Parameter*>& selected);
// Residual branches: one target whose groups are the branches that an add can do without.
std::vector<PruneTarget> branch_targets(const Network& network,
                                        const std::vector<Parameter*>& selected);

}  // namespace pare
