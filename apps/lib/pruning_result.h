// What pruning was asked for and what it did, for result.json.
#pragma once

#include "apps/lib/finish.h"
#include "framework/config/value.h"

namespace pare {

// One entry per prune method that the run ends with: {name, method, granularity, asked, pruned,
// layers}. `asked`: the sparsity, null where a threshold or a pattern says how much; `pruned`: the
// fraction of groups (weights, filters, ...) that went, whether masked or shrunk away.
config::Json pruning_json(const RunConfig& run, const Dataset& dataset, const Network& network);

// {macs, parameters, latency_us}, each {before, after}; null where nothing shrinks. `whole`: the
// integer program before, for its latency.
config::Json shrink_json(const RunConfig& run, const Dataset& dataset, const Network& network,
                         const Outcome& outcome, const integer::Program* whole);

}  // namespace pare
