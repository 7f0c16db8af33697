// Trainer: the loop over phases, epochs and batches.
//
// A phase releases and attaches methods, starts a fresh optimizer (unless it continues), and trains
// (or, with 0 epochs, calibrates); ends of epochs and phases are validated. Everything random is a
// function of the seed and the number of updates so far, so a run that was stopped and resumed ends
// with the same bits. What is shown and what is saved is for the caller's events to say; this file
// writes nothing.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "apps/lib/checkpoint.h"
#include "apps/lib/init_from.h"
#include "apps/lib/methods.h"
#include "apps/lib/phase_optimizer.h"
#include "apps/lib/phases.h"
#include "apps/lib/rewind_point.h"
#include "apps/lib/teachers.h"
#include "apps/lib/telemetry.h"
#include "datasets/batches.h"
#include "datasets/dataset.h"

namespace pare {

// Thrown out of run() after the checkpoint was saved: SIGINT or SIGTERM.
struct Stopped {
  int signal;
};

// What a step tells the progress bar.
struct StepNews {
  const PhaseConfig& phase;
  std::int64_t epoch;        // at work on, from 1
  std::int64_t run_step;     // done
  double loss;               // mean since the last row
  double images_per_second;  // since the last row
};

struct TrainerEvents {
  std::function<void(const PhaseConfig&)> phase = [](const PhaseConfig&) {
  };  // its methods are attached
  std::function<void(const StepNews&)> step = [](const StepNews&) {};
  std::function<void(EpochRow&)> row = [](EpochRow&) {};  // may fill in the time
  std::function<void(std::span<const TelemetryRow>)> telemetry = [](auto) {};
  std::function<void(const std::string&)> say = [](const std::string&) {};  // what methods report
  // The moment to write a checkpoint; `best`: the last row's network is the best so far.
  std::function<void(bool best)> save = [](bool) {};
  // The signal that asks to stop, or 0. Asked before every batch that trains, calibrates or
  // validates.
  std::function<int()> stop = [] { return 0; };
};

class Trainer {
 public:
  // `run` and `dataset` must outlive the trainer. Throws ConfigError: a model or a schedule that
  // does not fit.
  Trainer(const RunConfig& run, const Dataset& dataset, TrainerEvents events);

  // Begins with weights from a file (init_from.h) in place of drawn ones; where the first phase
  // compresses already, they are the dense network whose accuracy is kept. Before run().
  InitialWeights init_from(const std::string& path);

  // Begins with this network, as it is. Before run().
  void start_from(Network network) { network_ = std::move(network); }
  // What an auto method does, in place of a search. Before run().
  void decide(const std::string& method, std::vector<LayerChoice> choices);

  // Goes on where the checkpoint stands; `best`: arrays of the network that its state says is best.
  // `what` names the file. Throws DataError.
  void resume(const Checkpoint& checkpoint, Snapshot best, const std::string& what);
  // For the save event: with `ema`, the averages are in the network then. Throws DivergedError
  // where a number in it is not finite.
  Checkpoint checkpoint();

  // Trains to the end. Throws Stopped, DivergedError. What a stop saves is where training stands
  // between two updates; a calibration begins again, as its phase does.
  void run();

  // After run(): the network of the row that report.keep asks for.
  void restore_kept();
  // Index of that row.
  std::size_t kept() const;

  Network& network() { return network_; }
  const TrainingState& state() const { return state_; }
  // What auto methods decided (auto/search.h), by name.
  const config::Json& decisions() const { return decisions_; }
  const std::vector<ScheduleSpan>& spans() const { return spans_; }
  const std::vector<PixelValues>& values() const { return values_; }

 private:
  const PhaseConfig& phase() const { return run_.phases[state_.phase]; }
  const ScheduleSpan& span() const { return spans_[state_.phase]; }
  double learning_rate(std::int64_t step) const;  // of an update of the phase at hand
  bool goes_on() const;                           // the phase at hand continues the one before
  MethodStep method_step();
  void make_phase_optimizer();
  void require_finite(const Checkpoint& c) const;
  bool at_beginning() const;
  void begin_run();
  void run_phase();
  void begin_phase();
  void search_for(const std::string& method);
  double accuracy_of_trial(const std::string& method, const std::vector<LayerChoice>& choices);
  void train_phase();
  bool owes_validation() const;
  void end_phase();
  void train_step();
  void measure();
  void rewind();
  void backward_and_update(const Variable& loss);
  void validate();
  void save(bool best) const { events_.save(best); }
  void stop_if_asked();  // the network must be the one to save
  void keep_if_best();
  double test_accuracy();
  bool is_last_dense_phase() const;
  void visit_network(StateVisitor& visitor);

  const RunConfig& run_;
  const Dataset& dataset_;
  TrainerEvents events_;
  std::vector<PixelValues> values_;
  std::vector<ScheduleSpan> spans_;
  std::vector<RateCourse> courses_;
  RewindPoint rewind_point_;
  Network network_;
  ActiveMethods methods_;
  Teachers teachers_;
  config::Json decisions_ = config::Json::object();
  Telemetry telemetry_;
  Batches batches_;
  std::unique_ptr<PhaseOptimizer> optimizer_;  // none between phases, unless the next one continues
  TrainingState state_;
  Snapshot best_;
  double seconds_ = 0;             // spent in updates since the last row
  std::int64_t timed_images_ = 0;  // in them
};

}  // namespace pare
