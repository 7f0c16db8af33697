// The networks that a run's distill methods learn from: kept at the end of the phase that a method
// names, or read from the checkpoint that it names, and saved with the run, which then needs that
// file no more.
#pragma once

#include <map>
#include <string>

#include "apps/lib/checkpoint.h"
#include "apps/lib/methods.h"
#include "apps/lib/run_config.h"
#include "layers/network.h"

namespace pare {

// Another network with the same nodes, chains and values. `network` must be released.
Network copy_of(const Network& network);

class Teachers {
 public:
  explicit Teachers(const RunConfig& run);

  // Reads the checkpoints that are not here yet. Throws DataError (missing, damaged) and
  // ConfigError (a teacher of another input or number of classes than `student`).
  void load_missing(const Network& student);
  // Keeps the network for the methods that learn from the end of this phase.
  void end_phase(const PhaseConfig& phase, const Network& network);
  // Tells every method that is on its teacher.
  void introduce(const ActiveMethods& methods);

  void save(Checkpoint& checkpoint);
  // Throws DataError that begins with `what`.
  void restore(const Checkpoint& checkpoint, const std::string& what);

 private:
  std::map<std::string, DistillConfig> wanted_;  // by the method's name; applied by some phase
  std::map<std::string, Network> networks_;
};

}  // namespace pare
