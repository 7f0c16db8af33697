// The loop over phases and epochs. One update is in trainer_step.cpp, what checkpoints hold in
// trainer_state.cpp, the search of auto methods in trainer_search.cpp.
#include "apps/lib/trainer.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/branch.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/phases.h"
#include "apps/lib/surroundings.h"
#include "compression/quantize/grid.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

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
  while (state_.phase < run_.phases.size()) run_phase();
}

void Trainer::run_phase() {
  const std::string& name = phase().name;
  try {
    if (!state_.started) begin_phase();
    train_phase();
    end_phase();
  } catch (const GridError& error) {
    throw DivergedError(
        fmt::format("phase '{}', step {}: {}. No weight was changed by it; try a smaller learning "
                    "rate or a clip_norm",
                    name, state_.step, error.what()));
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

void Trainer::measure() {
  const TelemetryMark mark = {state_.phase, state_.run_step};
  const std::vector<TelemetryRow> rows = telemetry_.measure(network_, mark, phase().name);
  if (!rows.empty()) events_.telemetry(rows);
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

}  // namespace pare
