// A tiny run that trains in memory and keeps its checkpoints in files, as train does.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <initializer_list>
#include <limits>
#include <vector>

#include "apps/lib/finish.h"
#include "apps/lib/trainer.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

namespace pare {

// `stop_after` updates a signal comes.
class TinyRun {
 public:
  explicit TinyRun(const RunConfig& run, std::int64_t stop_after = -1,
                   const Dataset& data = tiny_digits())
      : run_(run), data_(data), stop_after_(stop_after), trainer_(run_, data_, events()) {}

  Trainer& trainer() { return trainer_; }
  // How often the trainer asked whether to stop, and the question that is answered with a signal.
  std::int64_t questions() const { return questions_; }
  void stop_at_question(std::int64_t question) { stop_question_ = question; }
  // `change` happens after so many updates of the run.
  void after_update(std::int64_t update, std::function<void()> change) {
    change_at_ = update;
    change_ = std::move(change);
  }
  void train() {
    trainer_.run();
    trainer_.restore_kept();
  }
  // Goes on where the other one was stopped, from its files.
  void resume(const TinyRun& before) {
    const Checkpoint last = load_checkpoint(before.last());
    require_same_run(last, config::write(run_), data_.hash, "last");
    Snapshot best;
    if (last.state.best) best = part_of(load_checkpoint(before.best()).arrays, kNetworkArrays);
    trainer_.resume(last, best, "last");
  }
  // Rows of telemetry so far.
  const std::vector<TelemetryRow>& telemetry() const { return telemetry_; }
  std::string last() const { return folder_.file("last.h5"); }
  std::string best() const { return folder_.file("best.h5"); }

  // Everything that must not depend on interruptions or threads.
  struct End {
    std::vector<std::byte> checkpoint, model;
    bool operator==(const End&) const = default;
  };
  End end() {
    train();
    const Outcome outcome = finish(trainer_.network(), run_, data_, nullptr);
    return {read_file(last(), 1 << 24),
            outcome.integer ? outcome.integer->bytes : std::vector<std::byte>()};
  }

 private:
  TrainerEvents events() {
    TrainerEvents events;
    events.save = [this](bool best) {
      save_checkpoint(trainer_.checkpoint(), last());
      if (best) save_checkpoint(trainer_.checkpoint(), this->best());
    };
    // A signal stays: the question may be asked again before the run is over.
    events.stop = [this] {
      const bool now = questions_++ >= stop_question_;
      return now || trainer_.state().run_step == stop_after_ ? SIGTERM : 0;
    };
    events.telemetry = [this](auto rows) {
      telemetry_.insert(telemetry_.end(), rows.begin(), rows.end());
    };
    events.step = [this](const StepNews& news) {
      if (news.run_step == change_at_) change_();
    };
    return events;
  }

  RunConfig run_;
  const Dataset& data_;
  std::int64_t stop_after_;
  std::int64_t questions_ = 0, stop_question_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t change_at_ = -1;
  std::function<void()> change_;
  std::vector<TelemetryRow> telemetry_;
  TemporaryFolder folder_;
  Trainer trainer_;
};

// Stopped after each of so many updates and resumed, a run ends as the `whole` one did.
inline void check_resumes(const RunConfig& run, const TinyRun::End& whole,
                          std::initializer_list<std::int64_t> stops) {
  for (const std::int64_t updates : stops) {
    CAPTURE(updates);
    TinyRun stopped(run, updates);
    CHECK_THROWS_AS(stopped.train(), Stopped);
    TinyRun resumed(run);
    resumed.resume(stopped);
    CHECK((resumed.end() == whole));
  }
}

inline Parameter& parameter(Network& network, const std::string& path) {
  Parameter* found = nullptr;
  for (Parameter* p : network.parameters()) {
    if (p->path() == path) found = p;
  }
  REQUIRE(found != nullptr);
  return *found;
}

inline std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

}  // namespace pare
