#include "apps/lib/run_saver.h"

#include "framework/base/error.h"

namespace pare {

void RunSaver::save(const Checkpoint& checkpoint, bool best, double seconds) {
  try {
    if (telemetry_) telemetry_->flush();
    if (best || unsaved_best_)
      save_checkpoint(best ? checkpoint : *unsaved_best_, folder_.best_checkpoint());
    save_checkpoint(checkpoint, folder_.last_checkpoint());
    write_rows(checkpoint.state.rows);
    folder_.save_seconds(seconds);
    unsaved_best_.reset();
    failure_.clear();
  } catch (const FailedError& error) {
    if (best) unsaved_best_ = checkpoint;
    failure_ = error.what();
    console_.warn(failure_ + ". The checkpoint before stays; training goes on, and the next one " +
                  "is tried after the next epoch");
  }
}

void RunSaver::write_rows(const std::vector<EpochRow>& rows) const {
  write_metrics(rows, folder_.file("metrics.jsonl"), folder_.file("metrics.csv"));
}

void RunSaver::require_saved() const {
  if (failure_.empty()) return;
  throw FailedError("the last checkpoint could not be written: " + failure_ +
                    ". Then --resume goes on from the one before");
}

}  // namespace pare
