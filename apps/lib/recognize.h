// What a path on the command line is: a run folder, a config, a checkpoint or a model, told by
// content, not by name.
#pragma once

#include <string>

#include "apps/lib/checkpoint.h"
#include "apps/lib/run_config.h"

namespace pare {

enum class ArtifactKind { run, config, checkpoint, model };

struct Artifact {
  ArtifactKind kind;
  std::string path;  // of a config: where it was found
};

// Throws DataError: missing, or none of the four, and what it looks like instead.
Artifact recognize(const std::string& path);

// "a run folder", "a config", ...
const char* describe(ArtifactKind kind);

// The config that a checkpoint holds. Throws DataError.
RunConfig run_config_of(const Checkpoint& checkpoint, const std::string& path);

// The checkpoint whose network a run ends with: best.h5 where the run keeps the best and has one,
// else last.h5. Throws DataError where the folder has no valid one.
struct KeptCheckpoint {
  std::string path;
  Checkpoint checkpoint;
};
KeptCheckpoint kept_checkpoint(const std::string& run_folder);

}  // namespace pare
