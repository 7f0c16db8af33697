// A whole experiment: plan, runs, tables.
#pragma once

#include "apps/lib/console.h"
#include "apps/lib/experiment/experiment_options.h"

namespace pare {

// Returns the exit code: done, or that of the runs that failed. Throws Error, and Stopped.
int run_experiment(const ExperimentOptions& options, Console& console);

}  // namespace pare
