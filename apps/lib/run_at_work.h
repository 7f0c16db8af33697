// RunAtWork: a run between its first update and its last file.
//
// It owns the trainer and what is written while it trains: checkpoints, metrics, telemetry, events,
// and at the end model.pare, the page and result.json. What comes before, and in which order all of
// it happens, is in train_run.cpp.
#pragma once

#include <optional>
#include <string>

#include "apps/lib/console.h"
#include "apps/lib/finish.h"
#include "apps/lib/progress.h"
#include "apps/lib/report/page.h"
#include "apps/lib/run_events.h"
#include "apps/lib/run_folder.h"
#include "apps/lib/run_saver.h"
#include "apps/lib/telemetry_file.h"
#include "apps/lib/train_options.h"
#include "apps/lib/trainer.h"

namespace pare {

class RunAtWork {
 public:
  // All of them must outlive it. `start` (monotonic_seconds) is when this process began its work.
  RunAtWork(const TrainOptions& options, Console& console, const RunConfig& config,
            const Dataset& dataset, const Rehearsal& rehearsal, RunFolder& folder, double start);

  // The state that the first update starts from: resumed, branched, from a file or drawn.
  void begin();
  // Throws Stopped, DivergedError.
  void train();
  // Lowers, verifies, writes; returns what result.json holds. That is the last file: where it is,
  // the run is finished. Throws Stopped, and FailedError as require_saved() does.
  config::Json finish_and_write();
  // Throws FailedError where the newest state is not on disk and cannot be written now either.
  void require_saved() { saver_.require_saved(seconds()); }
  // After an error or a signal. A page that cannot be written is a warning.
  void write_unfinished_page(const std::string& why) const;

 private:
  bool resume_newest();
  void branch();
  void resume(Checkpoint checkpoint, Snapshot best, const std::string& path);
  void require_same_beginning(const TrainingState& state, const std::string& path) const;
  TrainerEvents trainer_events();
  double seconds() const;
  int stop() const;
  void write_page(report::Page page) const;
  template <class Write>
  void write_events(const Write& write);
  void warn_without_integers(const EpochRow& row);

  const TrainOptions& options_;
  Console& console_;
  const RunConfig& config_;
  const Dataset& dataset_;
  const Rehearsal& rehearsal_;
  RunFolder& folder_;
  double start_;
  RunSaver saver_;
  Trainer trainer_;
  std::optional<Progress> progress_;  // from train() on
  std::optional<RunEvents> events_;
  std::optional<TelemetryFile> telemetry_;
  bool events_failed_ = false;
  bool warned_ = false;  // that there is no integer form
};

}  // namespace pare
