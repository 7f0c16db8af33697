// What report.html says of a run (apps/lib/report draws it): curves with the phases on their time
// axis, and, once the run is over, what came out of it.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/finish.h"
#include "apps/lib/layer_statistics.h"
#include "apps/lib/report/page.h"
#include "apps/lib/trainer.h"

namespace pare {

// Loss, accuracy, learning rate and, where something was pruned, sparsity over epochs.
std::vector<report::LineChart> curves(const RunConfig& run, const Trainer& trainer);

// A page of what is known while a run is not over. `why`: what ended it.
report::Page unfinished_page(const RunConfig& run, const Dataset& dataset, const Trainer& trainer,
                             const std::string& command, const std::string& why);

// The page of a finished run. `result`: result.json.
report::Page finished_page(const RunConfig& run, const Dataset& dataset, Trainer& trainer,
                           const Outcome& outcome, const std::vector<LayerStatistics>& layers,
                           const config::Json& result, const std::string& command);

}  // namespace pare
