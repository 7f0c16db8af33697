// The search behind "kind": "auto": from the network at the start of a phase to the bits and the
// sparsity of every layer.
//
// 1. scan (sensitivity.h). 2. Plans: with a budget of bytes or macs, the best mixed plan that fits,
// and for each number of bits the best plan that uses it everywhere; with loss_points alone, the
// best mixed plans for a falling compression ratio. 3. Each plan is trained for search.epochs from
// the same network. 4. With a budget, the plan with the best validation accuracy is chosen;
// with loss_points alone, the first (smallest) that loses no more. All is a function of config,
// data and seed; what was found so far is a JSON document that checkpoints hold, so a search that
// was stopped goes on with the next trial.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/lib/run_config.h"
#include "compression/auto_method.h"
#include "datasets/dataset.h"
#include "layers/network.h"

namespace pare {

struct SearchEvents {
  std::function<void(const config::Json&)> progress;    // to be saved
  std::function<void(const std::string&)> say;          // for people
  std::function<double(const std::vector<LayerChoice>&)> trial;  // validation accuracy of a plan
};

// Throws ConfigError where even the cheapest plan does not keep the budget. Before training: what
// the file holds beside codes is nearly the same then.
void require_reachable(const std::string& name, const AutoConfig& config, const RunConfig& run,
                       const Dataset& dataset, const Network& network);

// `decision`: null, or what `progress` was given last. Returns the finished one.
//
// {"baseline", "overhead_bytes", "plans": [{"name", "bytes", "macs", "accuracy", "layers": [{"node",
// "bits", "sparsity", "bytes", "macs", "loss"}]}], "chosen": index}; accuracies of validation
// images, null where a plan was not tried; bytes at most.
config::Json search(config::Json decision, const AutoConfig& config, const RunConfig& run,
                    const Dataset& dataset, Network& network, const SearchEvents& events);

bool is_decided(const config::Json& decision);
// Of the plan that was chosen.
std::vector<LayerChoice> choices_of(const config::Json& decision);

// The table of plans and the chosen layers, for people.
std::string decision_text(const config::Json& decision);

}  // namespace pare
