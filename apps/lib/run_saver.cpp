#include "apps/lib/run_saver.h"

#include "framework/base/error.h"

namespace pare {

void RunSaver::save(const Checkpoint& checkpoint, bool best, double seconds) {
  const Checkpoint* newest_best = unsaved_best_ ? &*unsaved_best_ : nullptr;
  try {
    write(checkpoint, best ? &checkpoint : newest_best, seconds);
    unsaved_best_.reset();
    unsaved_.reset();
  } catch (const FailedError& error) {
    if (best) unsaved_best_ = checkpoint;
    unsaved_ = checkpoint;
    console_.warn(std::string(error.what()) + ". The checkpoint before stays; training goes on, " +
                  "and the next one is tried after the next epoch");
  }
}

void RunSaver::write(const Checkpoint& checkpoint, const Checkpoint* best, double seconds) const {
  if (telemetry_) telemetry_->flush();
  if (best) save_checkpoint(*best, folder_.best_checkpoint());
  save_checkpoint(checkpoint, folder_.last_checkpoint());
  write_rows(checkpoint.state.rows);
  folder_.save_seconds(seconds);
}

void RunSaver::write_rows(const std::vector<EpochRow>& rows) const {
  write_metrics(rows, folder_.file("metrics.jsonl"), folder_.file("metrics.csv"));
}

void RunSaver::require_saved(double seconds) {
  if (!unsaved_) return;
  try {
    write(*unsaved_, unsaved_best_ ? &*unsaved_best_ : nullptr, seconds);
    unsaved_best_.reset();
    unsaved_.reset();
  } catch (const FailedError& error) {
    throw FailedError(std::string("the last checkpoint could not be written: ") + error.what() +
                      ". Then --resume goes on from the one before");
  }
}

}  // namespace pare
