#include "apps/lib/run_at_work.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>

#include "apps/lib/branch.h"
#include "apps/lib/checkpoint.h"
#include "apps/lib/command_line.h"
#include "apps/lib/result.h"
#include "apps/lib/resumable.h"
#include "apps/lib/run_report.h"
#include "apps/lib/signals.h"
#include "apps/lib/telemetry_charts.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

constexpr const char* kTelemetry = "telemetry.jsonl";

std::vector<std::string> phase_names(const RunConfig& config) {
  std::vector<std::string> names;
  for (const PhaseConfig& phase : config.phases) names.push_back(phase.name);
  return names;
}

}  // namespace

RunAtWork::RunAtWork(const TrainOptions& options, Console& console, const RunConfig& config,
                     const Dataset& dataset, const Rehearsal& rehearsal, RunFolder& folder,
                     double start)
    : options_(options),
      console_(console),
      config_(config),
      dataset_(dataset),
      rehearsal_(rehearsal),
      folder_(folder),
      start_(start),
      saver_(folder, console),
      trainer_(config, dataset, trainer_events()) {}

// TensorBoard's file is for looking at: where it cannot be written, the run goes on without it. A
// resumed run fills in what it lacks.
template <class Write>
void RunAtWork::write_events(const Write& write) {
  if (!config_.report.tensorboard || events_failed_) return;
  try {
    write();
  } catch (const FailedError& error) {
    events_failed_ = true;
    console_.warn(std::string(error.what()) + ". The run goes on without it");
  }
}

void RunAtWork::begin() {
  // A branch begins with the best network of its beginning, which is no place to resume from.
  const bool branches = !options_.branch_from.empty();
  const bool begun = !branches || std::filesystem::exists(folder_.last_checkpoint());
  if (options_.resume && begun && resume_newest()) return;
  if (branches) return branch();
  if (options_.init_from.empty()) return;
  const InitialWeights initial = trainer_.init_from(options_.init_from);
  console_.say(fmt::format("first weights from {} ({}): {} values: {}", options_.init_from,
                           initial.format, initial.taken, join(initial.names, ", ")));
}

void RunAtWork::train() {
  if (config_.report.telemetry > 0) {
    telemetry_.emplace(folder_.file(kTelemetry), phase_names(config_), trainer_.state().measured);
    saver_.save_with(*telemetry_);
  }
  if (config_.report.tensorboard) {
    write_events([&] { events_.emplace(folder_.file("events"), config_, trainer_.state().rows); });
  }
  progress_.emplace(console_, trainer_.spans(), trainer_.state().run_step);
  trainer_.run();
  console_.status("");
  trainer_.restore_kept();
}

config::Json RunAtWork::finish_and_write() {
  require_saved();
  const Outcome outcome = finish(trainer_.network(), config_, dataset_, [&](std::int64_t done) {
    if (const int signal = stop()) throw Stopped{signal};
    progress_->verifying(done, dataset_.test.count());
  });
  if (outcome.integer) {
    require_verified(outcome.integer->verification);
    write_file_atomically(folder_.file("model.pare"), outcome.integer->bytes);
  }
  const std::vector<LayerStatistics> layers =
      layer_statistics(trainer_.network(), dataset_.test, trainer_.values());
  const config::Json result = result_json(config_, dataset_, trainer_, outcome, layers, seconds(),
                                          rehearsal_.program ? &*rehearsal_.program : nullptr);
  write_events([&] { events_->result(result, trainer_.state().run_step); });
  write_page(
      finished_page(config_, dataset_, trainer_, outcome, layers, result, command_of(options_)));
  folder_.save_seconds(seconds());
  write_file_atomically(folder_.file("result.json"), config::pretty(result));
  return result;
}

void RunAtWork::write_unfinished_page(const std::string& why) const {
  try {
    write_page(unfinished_page(config_, dataset_, trainer_, command_of(options_), why));
  } catch (const Error& error) {
    console_.warn(std::string(error.what()) + ". The run ends without a page that says why");
  }
}

// False where there is nothing to resume.
bool RunAtWork::resume_newest() {
  std::optional<Resumable> found = find_resumable(folder_, config_, dataset_.hash, console_);
  if (!found) {
    if (std::filesystem::exists(folder_.file("result.json"))) {
      throw ConfigError("'" + folder_.path() +
                        "' holds a run that is finished, without its checkpoints: there is nothing "
                        "to resume; add --overwrite to do it again");
    }
    console_.say("nothing to resume in " + folder_.path() + ": starting from the beginning");
    return false;
  }
  resume(std::move(found->checkpoint), std::move(found->best), found->path);
  return true;
}

// As if the other run's phases had been trained here.
void RunAtWork::branch() {
  const std::string from = options_.branch_from + "/checkpoints/";
  Checkpoint beginning =
      branched(load_checkpoint(from + "last.h5"), config_, dataset_.hash, from + "last.h5");
  Snapshot arrays;
  if (beginning.state.best) {
    Checkpoint best = load_checkpoint(from + "best.h5");
    best.config = config::write(config_);
    save_checkpoint(best, folder_.best_checkpoint());
    arrays = part_of(best.arrays, kNetworkArrays);
  }
  read_times(beginning.state.rows, options_.branch_from + "/metrics.jsonl");
  trainer_.resume(beginning, std::move(arrays), from + "last.h5");
  saver_.write_rows(beginning.state.rows);
  console_.say(fmt::format("going on from {} after {} updates", options_.branch_from,
                           beginning.state.run_step));
}

double RunAtWork::seconds() const {
  return folder_.seconds_before() + monotonic_seconds() - start_;
}

int RunAtWork::stop() const {
  if (const int signal = caught_signal()) return signal;
  return options_.time_limit && monotonic_seconds() - start_ > *options_.time_limit ? SIGTERM : 0;
}

TrainerEvents RunAtWork::trainer_events() {
  return {.phase =
              [this](const PhaseConfig& phase) {
                console_.detail("phase '" + phase.name + "' begins");
              },
          .step = [this](const StepNews& news) { progress_->step(news); },
          .row =
              [this](EpochRow& row) {
                row.seconds = seconds();
                progress_->row(row);
                warn_without_integers(row);
                write_events([&] { events_->row(row, trainer_.network()); });
              },
          .telemetry = [this](auto rows) { telemetry_->add(rows); },
          .say =
              [this](const std::string& text) {
                console_.status("");
                console_.say(text);
              },
          .save = [this](bool best) { saver_.save(trainer_.checkpoint(), best, seconds()); },
          .stop = [this] { return stop(); }};
}

void RunAtWork::write_page(report::Page page) const {
  if (telemetry_)
    page.telemetry =
        telemetry_charts(read_telemetry(folder_.file(kTelemetry)), config_, trainer_.spans());
  write_file_atomically(folder_.file("report.html"), report::to_html(page));
}

// Once, at the first epoch from which on the end would be refused.
void RunAtWork::warn_without_integers(const EpochRow& row) {
  if (!row.at_target || warned_) return;
  const std::string fault = integer_fault(trainer_.network(), config_);
  if (fault.empty()) return;
  warned_ = true;
  console_.warn(fault + "; if that stays so, the run ends without an integer model");
}

// A run that is resumed needs the file of its first weights no more; another file is a mistake.
void RunAtWork::require_same_beginning(const TrainingState& state, const std::string& path) const {
  if (options_.init_from.empty() || hash_of_file(options_.init_from) == state.init_hash) return;
  throw ConfigError(path + ": did not begin with the weights of " + options_.init_from +
                    "; resume without --init-from, or start again with --overwrite");
}

void RunAtWork::resume(Checkpoint checkpoint, Snapshot best, const std::string& path) {
  require_same_beginning(checkpoint.state, path);
  read_times(checkpoint.state.rows, folder_.file("metrics.jsonl"));
  trainer_.resume(checkpoint, std::move(best), path);
  // Behind the last save nothing would bring a damaged or older last.h5 up to date.
  if (path != folder_.last_checkpoint()) save_checkpoint(checkpoint, folder_.last_checkpoint());
  saver_.write_rows(checkpoint.state.rows);  // what was measured after the checkpoint comes again
  console_.say("resuming from " + path + " after " + std::to_string(checkpoint.state.run_step) +
               " updates");
}

}  // namespace pare
