// Branching: a run that goes on where another one, with the same beginning, has come to.
//
// The beginning of a run are some of its leading phases. Runs that differ only in what comes later
// share it: trained once, it gives every one of them the state that it would have reached alone,
// bit for bit.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/checkpoint.h"
#include "apps/lib/run_config.h"

namespace pare {

// After how many phases the run can go on from another one, ascending. Not where a phase continues
// the course of the one before, where a method will go back into what lies before (rewind; a
// teacher that is not the last phase of a beginning without methods), where a method of the
// beginning decides or learns from a network (auto, distill), or where the rows of the beginning
// would not say of themselves what those of the run say (telemetry; networks that could be kept).
std::vector<std::size_t> branch_points(const RunConfig& run);

// Whether one of the run's phases applies the method of that name.
bool is_applied(const RunConfig& run, const std::string& method);

// Index of the last phase in which nothing is attached; the number of phases where there is none.
std::size_t last_dense_phase(const RunConfig& run);

// The first phases as a run of their own, without an integer form. `phases`: one of branch_points.
RunConfig beginning_of(const RunConfig& run, std::size_t phases);

// The checkpoint of a run that ended, as the state in which `run` leaves these phases. Throws
// ConfigError, naming the first key that differs, where the other run is no beginning of this one,
// and DataError where its data differ; `what` names the file.
Checkpoint branched(Checkpoint beginning, const RunConfig& run, const std::string& data_hash,
                    const std::string& what);

}  // namespace pare
