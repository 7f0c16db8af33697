// What a run offers to methods that act on the whole network when they are attached.
#pragma once

#include <functional>
#include <string>

#include "apps/lib/run_config.h"
#include "compression/method.h"
#include "datasets/dataset.h"

namespace pare {

// `run` and `dataset` must outlive it.
Surroundings surroundings_of(const RunConfig& run, const Dataset& dataset,
                             std::function<void(const std::string&)> say);

}  // namespace pare
