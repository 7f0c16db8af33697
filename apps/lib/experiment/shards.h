// One experiment on several machines: shards, and a job array for SLURM with one shard a task.
#pragma once

#include <string>

#include "apps/lib/experiment/experiment_options.h"
#include "apps/lib/experiment/plan.h"

namespace pare {

// A bash script for sbatch. Every task writes the same folder, which the machines must share.
std::string slurm_script(const Plan& plan, const ExperimentOptions& options);

// Which runs of the plan a shard does: a stretch of the list, so that it shares few beginnings with
// other shards.
std::vector<std::size_t> runs_of_shard(const Plan& plan, const Shard& shard);

}  // namespace pare
