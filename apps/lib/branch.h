// Branching: a run that goes on where another one, with the same beginning, has come to.
//
// The beginning of a run are its leading phases up to the first that compresses, as far as one
// course of the learning rate reaches. Runs that differ only in what comes later share it: trained
// once, it gives every one of them the state that it would have reached alone, bit for bit.
#pragma once

#include <string>

#include "apps/lib/checkpoint.h"
#include "apps/lib/run_config.h"

namespace pare {

// How many phases the beginning has: the first one and those that continue it; 0 where one of them
// applies a method, or a method will go back into it (rewind; a teacher that is not its last
// phase).
std::size_t phases_of_beginning(const RunConfig& run);

// Index of the last phase in which nothing is attached; the number of phases where there is none.
std::size_t last_dense_phase(const RunConfig& run);

// The beginning as a run of its own, without an integer form. Needs phases_of_beginning() > 0.
RunConfig beginning_of(const RunConfig& run);

// The checkpoint of a run that ended, as the state in which `run` leaves its beginning. Throws
// ConfigError, naming the first key that differs, where the other run is no beginning of this one,
// and DataError where its data differ; `what` names the file.
Checkpoint branched(Checkpoint beginning, const RunConfig& run, const std::string& data_hash,
                    const std::string& what);

}  // namespace pare
