// A run cut to some updates a phase: what --smoke does, and what is tried before a run.
#pragma once

#include <cstdint>

#include "apps/lib/run_config.h"
#include "datasets/dataset.h"
#include "datasets/load.h"

namespace pare {

struct Cut {
  std::int64_t steps;  // updates of each phase, at most
  Enough images;
};

// Cuts the run, whose schedules keep their course, and returns the images that it still needs.
// Changes nothing that was cut before.
Dataset shortened(RunConfig& run, const Dataset& dataset, const Cut& cut);

}  // namespace pare
