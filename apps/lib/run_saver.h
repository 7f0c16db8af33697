// RunSaver: checkpoints and metrics of a run that trains. What cannot be written (a full disk, a
// folder that became read-only) is a warning: the files before it stay whole, training goes on, and
// the next save tries again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/checkpoint.h"
#include "apps/lib/console.h"
#include "apps/lib/run_folder.h"
#include "apps/lib/telemetry_file.h"

namespace pare {

class RunSaver {
 public:
  RunSaver(const RunFolder& folder, Console& console) : folder_(folder), console_(console) {}

  // From now on with the rows that are added to this file, which must outlive the saver.
  void save_with(TelemetryFile& telemetry) { telemetry_ = &telemetry; }

  // Telemetry, best.h5 (where `best`), last.h5, metrics and the run's seconds, in this order: a
  // checkpoint that calls a row the best can find its network, and the rows that it knows are
  // there.
  void save(const Checkpoint& checkpoint, bool best, double seconds);

  // metrics.jsonl and metrics.csv alone. Throws FailedError.
  void write_rows(const std::vector<EpochRow>& rows) const;

  // Where the last save failed, tries it once more. Throws FailedError where it fails again.
  void require_saved(double seconds);

 private:
  // Throws FailedError.
  void write(const Checkpoint& checkpoint, const Checkpoint* best, double seconds) const;

  const RunFolder& folder_;
  Console& console_;
  TelemetryFile* telemetry_ = nullptr;
  std::optional<Checkpoint> unsaved_;       // of the last save, where it failed
  std::optional<Checkpoint> unsaved_best_;  // of that one or an earlier one
};

}  // namespace pare
