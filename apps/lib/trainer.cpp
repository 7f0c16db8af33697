#include "apps/lib/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "apps/lib/auto/search.h"
#include "apps/lib/branch.h"
#include "apps/lib/diverged.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/phases.h"
#include "apps/lib/surroundings.h"
#include "compression/network_json.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::optional<double> ratio(double a, std::int64_t b) {
  return b > 0 ? std::optional(a / static_cast<double>(b)) : std::nullopt;
}

void freeze_by(const std::vector<std::string>& patterns, Network& network) {
  for (Parameter* parameter : network.parameters()) {
    parameter->set_frozen(std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) {
      return matches(p, parameter->path());
    }));
  }
}

}  // namespace

Trainer::Trainer(const RunConfig& run, const Dataset& dataset, TrainerEvents events)
    : run_(run),
      dataset_(dataset),
      events_(std::move(events)),
      values_(pixel_values(dataset)),
      spans_(phase_spans(run, dataset.train.count())),
      courses_(rate_courses(run, spans_)),
      rewind_point_(run, spans_),
      network_(build_network(run.model, dataset.train.shape, dataset.classes)),
      methods_(run, surroundings_of(run, dataset, events_.say)),
      teachers_(run),
      batches_(dataset.train, values_, run.dataset.batch_size, run.seed, run.dataset.augment) {
  check_schedules(run, spans_);
  network_.initialize(run.seed);
}

InitialWeights Trainer::init_from(const std::string& path) {
  InitialWeights initial = pare::init_from(network_, path);
  state_.init_hash = initial.hash;
  return initial;
}

double Trainer::test_accuracy() {
  const std::int64_t correct =
      count_correct(network_, dataset_.test, values_, [this] { stop_if_asked(); });
  return static_cast<double>(correct) / static_cast<double>(dataset_.test.count());
}

void Trainer::visit_network(StateVisitor& visitor) {
  network_.release();  // writing needs sole ownership
  network_.visit_state(visitor);
}

Checkpoint Trainer::checkpoint() {
  Checkpoint c{.config = config::write(run_),
               .network = describe_network(network_),
               .data_hash = dataset_.hash,
               .state = state_};
  collect(c.arrays, kNetworkArrays, [&](StateVisitor& v) { visit_network(v); });
  collect(c.arrays, "", [&](StateVisitor& v) { methods_.visit_state(v); });
  if (optimizer_) collect(c.arrays, "", [&](StateVisitor& v) { optimizer_->visit_state(v); });
  rewind_point_.save(c);
  teachers_.save(c);
  c.decisions = decisions_;
  telemetry_.save(c.arrays);
  c.state.measured = telemetry_.last();
  require_finite(c);
  return c;
}

void Trainer::require_finite(const Checkpoint& c) const {
  const std::string bad = first_bad_array(c.arrays);
  if (bad.empty()) return;
  throw DivergedError(fmt::format(
      "after {} updates: '{}' holds numbers that are not finite, so no checkpoint is written; the "
      "one before stays. Try a smaller learning rate",
      state_.run_step, bad));
}

void Trainer::resume(const Checkpoint& checkpoint, Snapshot best, const std::string& what) {
  state_ = checkpoint.state;
  const std::size_t phases = run_.phases.size();
  const bool misplaced = state_.phase > phases || (state_.phase == phases && state_.started);
  if (misplaced || (!misplaced && state_.started && state_.step > span().steps)) {
    throw DataError(what + ": stands behind the end of the run");
  }
  const std::size_t attached = state_.phase + (state_.started ? 1 : 0);
  network_ = network_of(checkpoint, what);
  decisions_ = checkpoint.decisions;
  for (const auto& [name, decision] : decisions_.items()) {
    if (is_decided(decision)) methods_.decide(name, choices_of(decision));
  }
  methods_.resume(std::span(run_.phases).first(attached), network_);
  teachers_.restore(checkpoint, what);
  teachers_.introduce(methods_);
  if (state_.started || goes_on()) make_phase_optimizer();
  const auto arrays = [&](const char* prefix) { return part_of(checkpoint.arrays, prefix); };
  restore(
      arrays(kMethodArrays), "", [&](StateVisitor& v) { methods_.visit_state(v); }, what);
  if (optimizer_) {
    restore(
        arrays(kOptimizerArrays), "", [&](StateVisitor& v) { optimizer_->visit_state(v); }, what);
    optimizer_->exchange();  // a checkpoint's network is the averaged one
  }
  rewind_point_.load(checkpoint);
  telemetry_.restore(checkpoint.arrays, checkpoint.state.measured);
  best_ = std::move(best);
}

bool Trainer::at_beginning() const {
  return state_.phase == 0 && !state_.started && state_.rows.empty();
}

// What is saved here is where a run begins again that is stopped in its first calibration, and says
// before any training whether checkpoints can be written.
void Trainer::begin_run() {
  if (!state_.init_hash.empty() && !phase().apply.empty()) state_.float_accuracy = test_accuracy();
  save(false);
}

void Trainer::run() {
  teachers_.load_missing(network_);
  if (at_beginning()) begin_run();
  if (state_.phase == run_.phases.size()) save(false);  // a branch whose beginning was all of it
  while (state_.phase < run_.phases.size()) {
    if (!state_.started) begin_phase();
    train_phase();
    end_phase();
  }
}

void Trainer::make_phase_optimizer() {
  require_freezable(phase(), network_);
  freeze_by(phase().freeze, network_);
  optimizer_ = std::make_unique<PhaseOptimizer>(phase().optimizer, network_);
}

bool Trainer::goes_on() const {
  return state_.phase < run_.phases.size() && run_.phases[state_.phase].continues;
}

void Trainer::decide(const std::string& method, std::vector<LayerChoice> choices) {
  decisions_[method] = nullptr;
  methods_.decide(method, std::move(choices));
}

// One phase of a run of its own, from a copy of the network as it is now.
double Trainer::accuracy_of_trial(const std::string& method,
                                  const std::vector<LayerChoice>& choices) {
  RunConfig run = run_;
  PhaseConfig trial = phase();
  const double epochs = std::get<AutoConfig>(run.method(method).options).search.epochs;
  trial.steps = std::min(span().steps, std::max<std::int64_t>(
                                           1, std::llround(epochs * span().steps_per_epoch)));
  trial.epochs.reset();
  trial.apply = {method};
  trial.release.clear();
  trial.continues = false;
  run.phases = {trial};
  run.report.telemetry = 0;
  TrainerEvents events;
  events.stop = events_.stop;
  Trainer trainer(run, dataset_, events);
  trainer.start_from(copy_of(network_));
  trainer.decide(method, choices);
  trainer.run();
  return *trainer.state().rows.back().validation;
}

void Trainer::search_for(const std::string& method) {
  const auto* config = std::get_if<AutoConfig>(&run_.method(method).options);
  const config::Json before = decisions_.value(method, config::Json());
  const bool given = decisions_.contains(method) && before.is_null();
  if (!config || given || is_decided(before)) return;
  network_.release();
  const SearchEvents events = {
      .progress =
          [&](const config::Json& decision) {
            decisions_[method] = decision;
            save(false);
          },
      .say = events_.say,
      .trial = [&](const auto& choices) { return accuracy_of_trial(method, choices); }};
  methods_.decide(method, choices_of(search(before, *config, run_, dataset_, network_, events)));
}

// An optimizer that goes on keeps what it knows of parameters that are still there; what methods
// bring along begins afresh.
void Trainer::begin_phase() {
  for (const std::string& name : phase().apply) search_for(name);
  Snapshot before;
  if (optimizer_) collect(before, "", [&](StateVisitor& v) { optimizer_->visit_state(v); });
  optimizer_.reset();
  methods_.begin_phase(phase(), network_);
  teachers_.introduce(methods_);
  make_phase_optimizer();
  adopt(before, [&](StateVisitor& v) { optimizer_->visit_state(v); });
  state_.started = true;
  events_.phase(phase());
  if (phase().calibrates()) {
    const auto stop_where_asked = [this] {
      if (const int signal = events_.stop()) throw Stopped{signal};
    };
    calibrate(
        network_, dataset_.train, values_, run_.seed, methods_.calibration_images(),
        Pass::begin(Pass::Mode::calibrate, run_.seed, static_cast<std::uint64_t>(state_.run_step)),
        stop_where_asked);
    methods_.after_calibration([&](const std::function<void(const Tensor&)>& see) {
      show_calibration(dataset_.train, values_, run_.seed, methods_.calibration_images(),
                       stop_where_asked, see);
    });
  }
}

void Trainer::stop_if_asked() {
  if (const int signal = events_.stop()) {
    save(false);  // a stop
    throw Stopped{signal};
  }
}

// At the end of an epoch, until it is validated; a run may have been stopped in between.
bool Trainer::owes_validation() const {
  return state_.updates > 0 && state_.step % static_cast<std::int64_t>(span().steps_per_epoch) == 0;
}

void Trainer::train_phase() {
  while (state_.step < span().steps) {
    if (events_.stop()) {
      const Averaged averaged(optimizer_.get());
      stop_if_asked();
    }
    if (owes_validation()) {
      const Averaged averaged(optimizer_.get());
      validate();
      keep_if_best();
    } else {
      train_step();
    }
  }
}

// The phase counts as over before it is saved: a resumed run begins with the next one. Until the
// row is there, everything can be done again.
void Trainer::end_phase() {
  methods_.end_phase(method_step());
  if (run_.report.telemetry > 0) measure();
  Averaged averaged(optimizer_.get());
  if (is_last_dense_phase()) state_.float_accuracy = test_accuracy();
  validate();
  network_.release();
  teachers_.end_phase(phase(), network_);
  ++state_.phase;
  state_.started = false;
  state_.step = 0;
  if (!goes_on()) {
    averaged.keep();  // the next phase begins with them
    optimizer_.reset();
  }
  keep_if_best();
}

double Trainer::learning_rate(std::int64_t step) const {
  const RateCourse& course = courses_[state_.phase];
  return phase().optimizer.learning_rate.at(course.done + step, course.span);
}

MethodStep Trainer::method_step() {
  const Regularization& added = phase().optimizer.regularization;
  MethodStep step{.span = span(),
                  .step = state_.step,
                  .run_step = static_cast<std::uint64_t>(state_.run_step),
                  .seed = run_.seed,
                  .applied_here = false,
                  .learning_rate = state_.step < span().steps ? learning_rate(state_.step) : 0,
                  .regularized = added.weight_decay > 0 || added.l1 > 0 || added.group_lasso > 0};
  step.visit_moments = [this](const Parameter& parameter,
                              const std::function<void(Tensor&)>& visit) {
    optimizer_->visit_moments(parameter, visit);
  };
  step.rewind = [this] { rewind(); };
  return step;
}

void Trainer::rewind() {
  rewind_point_.restore([&](StateVisitor& v) { visit_network(v); });
  make_phase_optimizer();
}

void Trainer::train_step() {
  const double start = now();
  rewind_point_.pass(state_.run_step, [&](StateVisitor& v) { visit_network(v); });
  const Batch& batch =
      batches_.get(state_.run_step / batches_.per_epoch(), state_.run_step % batches_.per_epoch());
  methods_.before_step(method_step());
  const auto run_step = static_cast<std::uint64_t>(state_.run_step);
  const Variable logits = network_.forward(
      Variable(batch.images), Pass::begin(Pass::Mode::train, run_.seed, run_step), methods_.tap());
  const Variable loss = methods_.loss({.images = batch.images,
                                       .logits = logits,
                                       .loss = loss_of(phase().loss, logits, batch.labels)});
  const float value = loss.value().item();
  if (!std::isfinite(value)) {
    throw DivergedError(fmt::format(
        "phase '{}', step {}: the loss is {}; the first number that is not finite is in {}. "
        "No weight was changed by it; try a smaller learning rate or a clip_norm",
        phase().name, state_.step, value, first_bad_output(network_, batch, run_.seed, run_step)));
  }
  state_.correct += count_correct(logits.value(), batch.labels);
  backward_and_update(loss);

  state_.loss_sum += value;
  state_.images += batch.count();
  ++state_.updates;
  ++state_.step;
  ++state_.run_step;
  seconds_ += now() - start;
  timed_images_ += batch.count();
  const std::int64_t every = run_.report.telemetry;
  if (every > 0 && state_.run_step % every == 0) measure();
  events_.step({.phase = phase(),
                .epoch = (state_.rows.empty() ? 0 : state_.rows.back().epoch) + 1,
                .run_step = state_.run_step,
                .loss = state_.loss_sum / static_cast<double>(state_.updates),
                .images_per_second = static_cast<double>(timed_images_) / seconds_});
}

void Trainer::measure() {
  const TelemetryMark mark = {state_.phase, state_.run_step};
  const std::vector<TelemetryRow> rows = telemetry_.measure(network_, mark, phase().name);
  if (!rows.empty()) events_.telemetry(rows);
}

void Trainer::backward_and_update(const Variable& loss) {
  backward(loss);
  if (const std::string path = first_bad_gradient(network_); !path.empty()) {
    throw DivergedError(fmt::format(
        "phase '{}', step {}: the gradient of '{}' is not finite. No weight was changed by it; "
        "try a smaller learning rate",
        phase().name, state_.step, path));
  }
  methods_.after_backward(method_step());
  optimizer_->step(learning_rate(state_.step));
  methods_.after_step(method_step());
}

void Trainer::validate() {
  EpochRow row{
      .epoch = (state_.rows.empty() ? 0 : state_.rows.back().epoch) + (state_.updates > 0 ? 1 : 0),
      .phase = phase().name,
      .step = state_.run_step,
      .loss = ratio(state_.loss_sum, state_.updates),
      .accuracy = ratio(static_cast<double>(state_.correct), state_.images),
      .learning_rate = state_.step > 0 ? learning_rate(state_.step - 1) : 0,
      .sparsity = masked_fraction(network_),
      .at_target = methods_.at_target(),
      .status = methods_.status()};
  if (const Images& images = dataset_.validation; images.count() > 0) {
    const std::int64_t correct =
        count_correct(network_, images, values_, [this] { stop_if_asked(); });
    row.validation = ratio(static_cast<double>(correct), images.count());
  }
  if (timed_images_ > 0) row.images_per_second = static_cast<double>(timed_images_) / seconds_;
  seconds_ = 0;
  timed_images_ = 0;
  state_.loss_sum = 0;
  state_.updates = state_.images = state_.correct = 0;
  state_.rows.push_back(std::move(row));
  events_.row(state_.rows.back());
}

// Of equal validation accuracies the later one is kept: it has trained longer.
void Trainer::keep_if_best() {
  const EpochRow& row = state_.rows.back();
  const bool counts = row.at_target && row.validation.has_value();
  const bool best =
      counts && (!state_.best || *row.validation >= *state_.rows[*state_.best].validation);
  if (best) {
    state_.best = state_.rows.size() - 1;
    best_.clear();
    collect(best_, kNetworkArrays, [&](StateVisitor& v) { visit_network(v); });
  }
  save(best);
}

bool Trainer::is_last_dense_phase() const { return last_dense_phase(run_) == state_.phase; }

std::size_t Trainer::kept() const {
  PARE_ENSURE(!state_.rows.empty());
  const bool best = run_.report.keep == ReportConfig::Keep::best && state_.best;
  return best ? *state_.best : state_.rows.size() - 1;
}

void Trainer::restore_kept() {
  if (kept() + 1 == state_.rows.size()) return;
  restore(
      best_, kNetworkArrays, [&](StateVisitor& v) { visit_network(v); }, "the best network so far");
}

}  // namespace pare
