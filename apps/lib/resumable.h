// What a run folder holds to go on from: the newest checkpoint that is whole, and the best network
// that it refers to.
#pragma once

#include <optional>
#include <string>

#include "apps/lib/checkpoint.h"
#include "apps/lib/console.h"
#include "apps/lib/run_config.h"
#include "apps/lib/run_folder.h"

namespace pare {

struct Resumable {
  Checkpoint checkpoint;
  std::string path;  // of its file
  Snapshot best;     // the network of the row that its state calls the best; empty where none is
};

// The newer of last.h5 and best.h5; a damaged one is a warning and gives way to the other. Nothing
// where there is none that is whole. Damaged ones are renamed to *.damaged. Throws
// ConfigError, DataError, FailedError: written by another run, its best network is missing or
// damaged, or a file that is whole cannot be read.
std::optional<Resumable> find_resumable(const RunFolder& folder, const RunConfig& config,
                                        const std::string& data_hash, Console& console);

}  // namespace pare
