#include "apps/lib/experiment/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/progress.h"
#include "apps/lib/signals.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(20);

std::string outcome_text(const config::Json& result) {
  for (const char* name : {"accuracy.integer", "accuracy.fake_quant"}) {
    if (const auto accuracy = figure(result, name))
      return fmt::format("{} {}", name, figure_text(name, *accuracy));
  }
  return "done";
}

bool was_stopped(int code) { return code == 128 + SIGINT || code == 128 + SIGTERM; }

}  // namespace

Runner::Runner(const Plan& plan, const ExperimentFolder& folder, const ExperimentFolder& beginnings,
               const RunnerOptions& options, Console& console)
    : plan_(plan),
      folder_(folder),
      beginnings_(beginnings),
      options_(options),
      console_(console),
      program_(sibling_program("train")) {
  for (const PlannedRun& beginning : plan.beginnings)
    begun_.push_back(beginnings.is_finished(beginning.hash) ? State::done : State::to_do);
  for (const std::size_t i : options.runs) {
    if (folder.is_finished(plan.runs[i].hash)) {
      ++done_;
      drop_checkpoints(i);  // it may have ended when nobody was there to do it
    } else {
      waiting_.push_back(i);
    }
  }
}

void Runner::run(const std::function<void()>& after_each) {
  const double start = monotonic_seconds();
  while (!waiting_.empty() || !at_work_.empty()) {
    if (const int signal = caught_signal()) stop(signal);
    if (options_.time_limit && monotonic_seconds() - start > *options_.time_limit) stop(SIGTERM);
    start_more();
    collect(after_each);
    show();
    std::this_thread::sleep_for(kBetweenLooks);
  }
  console_.status("");
}

void Runner::start_more() {
  while (std::ssize(at_work_) < options_.jobs) {
    const std::optional<Job> job = next_job();
    if (!job) return;
    start(*job);
  }
}

std::optional<std::size_t> Runner::lacks(std::size_t run) const {
  for (const std::size_t beginning : beginnings_of(plan_, plan_.runs[run])) {
    if (begun_[beginning] != State::done) return beginning;
  }
  return std::nullopt;
}

std::optional<Runner::Job> Runner::next_job() {
  for (auto run = waiting_.begin(); run != waiting_.end();) {
    const std::optional<std::size_t> beginning = lacks(*run);
    const State state = beginning ? begun_[*beginning] : State::done;
    if (state == State::to_do) return Job{true, *beginning};
    if (state == State::at_work) {
      ++run;
      continue;
    }
    const std::size_t index = *run;
    run = waiting_.erase(run);
    if (state == State::done) return Job{false, index};
    fail_without_beginning(index, *beginning);
  }
  return std::nullopt;
}

void Runner::fail_without_beginning(std::size_t run, std::size_t beginning) {
  Failure failure = beginnings_.failure(plan_.beginnings[beginning].hash)
                        .value_or(Failure{1, "it left no reason"});
  failure.message = "its beginning failed: " + failure.message;
  record({false, run}, failure);
  ++failed_;
}

void Runner::start(Job job) {
  const PlannedRun& run = planned(job);
  console_.detail(fmt::format("starting {} {}", run.hash, label_of(job)));
  try {
    using enum ExperimentFolder::Prepared;
    const bool fresh = !folder_of(job).has_begun(run.hash);
    switch (folder_of(job).prepare(run.hash, run.config)) {
      case finished:
        return taken(job);
      case at_work:
        return left(job);
      case ready:
        break;
    }
    at_work_.push_back(
        {.job = job,
         .start = monotonic_seconds(),
         .is_fresh = fresh,
         .child = Child(program_, arguments(job), folder_of(job).errors_of(run.hash))});
    if (job.is_beginning) begun_[job.index] = State::at_work;
  } catch (const FailedError& error) {
    failed(job, {static_cast<int>(error.code()), error.what()});
  }
}

// Another process has finished it since we began.
void Runner::taken(Job job) {
  if (job.is_beginning) {
    begun_[job.index] = State::done;
  } else {
    ++done_;
  }
}

void Runner::left(Job job) {
  if (job.is_beginning) {
    return failed(job, {static_cast<int>(ExitCode::failed), "another process is writing it"});
  }
  ++left_;
  console_.warn(label_of(job) + " is trained by another process, and left to it");
}

void Runner::failed(Job job, const Failure& failure) {
  if (job.is_beginning) {
    begun_[job.index] = State::failed;
  } else {
    ++failed_;
  }
  record(job, failure);
  console_.warn(
      fmt::format("{} failed (exit code {}): {}", label_of(job), failure.code, failure.message));
}

std::vector<std::string> Runner::arguments(Job job) const {
  const PlannedRun& run = planned(job);
  std::vector<std::string> list = {"--resume", "--out", folder_of(job).run(run.hash), "-q"};
  if (run.beginning) {
    list.push_back("--branch-from");
    list.push_back(beginnings_.run(plan_.beginnings[*run.beginning].hash));
  }
  if (plan_.smoke) list.push_back("--smoke");
  if (options_.threads > 0) {
    list.push_back("--threads");
    list.push_back(std::to_string(options_.threads));
  }
  if (!options_.data_dir.empty()) {
    list.push_back("--data-dir");
    list.push_back(options_.data_dir);
  }
  return list;
}

void Runner::collect(const std::function<void()>& after_each) {
  for (auto work = at_work_.begin(); work != at_work_.end();) {
    const std::optional<int> code = work->child.ended();
    if (!code) {
      ++work;
      continue;
    }
    if (!caught_signal() || !was_stopped(*code)) ended(*work, *code);
    work = at_work_.erase(work);
    after_each();
  }
}

void Runner::ended(const Work& work, int code) {
  const PlannedRun& run = planned(work.job);
  const ExperimentFolder& folder = folder_of(work.job);
  const double seconds = monotonic_seconds() - work.start;
  const std::optional<config::Json> result = folder.result(run.hash);
  const bool finished = result.has_value();  // the last file of a run, whatever came after it
  if (!finished) return failed(work.job, folder.failure_of(run.hash, code));
  if (work.job.is_beginning) begun_[work.job.index] = State::done;
  if (work.is_fresh) {
    seconds_ += seconds;
    epochs_ += run.epochs;
  }
  if (!work.job.is_beginning) {
    ++done_;
    drop_checkpoints(work.job.index);
  }
  console_.say(fmt::format("[{}/{}] {}: {} after {}, ETA {}", done_ + failed_ + left_,
                           options_.runs.size(), label_of(work.job), outcome_text(*result),
                           clock_text(seconds), time_left()));
}

void Runner::drop_checkpoints(std::size_t run) const {
  if (!plan_.experiment.keep_checkpoints) folder_.drop_checkpoints(plan_.runs[run].hash);
}

// The others go on where that cannot be written.
void Runner::record(Job job, const Failure& failure) {
  try {
    folder_of(job).record(planned(job).hash, failure);
  } catch (const FailedError& error) {
    if (!job.is_beginning) ++unrecorded_;
    console_.warn(std::string(error.what()) + ". The other runs go on");
  }
}

// Asks every run to save, once, and waits for them.
void Runner::stop(int signal) {
  console_.status("");
  if (!at_work_.empty())
    console_.say(fmt::format("stopping: {} runs at work are saving", at_work_.size()));
  for (const Work& work : at_work_) work.child.send(signal);
  while (!at_work_.empty()) {
    for (auto work = at_work_.begin(); work != at_work_.end();) {
      const std::optional<int> code = work->child.ended();
      if (code && !was_stopped(*code)) ended(*work, *code);
      work = code ? at_work_.erase(work) : std::next(work);
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  throw Stopped{signal};
}

// Of the first row that shows the run, with its seed.
std::string Runner::label_of(Job job) const {
  const std::string seed = planned(job).config["seed"].dump();
  if (job.is_beginning) {
    std::vector<std::string> phases;
    for (const config::Json& phase : planned(job).config["phases"]) phases.push_back(phase["name"]);
    return fmt::format("the beginning '{}' of seed {} ({})", fmt::join(phases, ", "), seed,
                       planned(job).hash);
  }
  const auto row = std::find_if(plan_.rows.begin(), plan_.rows.end(),
                                [&](const PlannedRow& r) { return r.run == job.index; });
  if (row == plan_.rows.end()) return "dense, same total budget, seed " + seed;
  return fmt::format("{} seed {}", label(plan_.experiment, plan_.cells[row->cell]), row->seed);
}

// Runs cost as many epochs as they train; what is at work counts as half done.
std::string Runner::time_left() const {
  if (epochs_ <= 0) return "?";
  double epochs = 0;
  std::vector<bool> needed(begun_.size());
  for (const std::size_t i : waiting_) {
    epochs += plan_.runs[i].epochs;
    for (const std::size_t b : beginnings_of(plan_, plan_.runs[i])) needed[b] = true;
  }
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    if (needed[i] && begun_[i] == State::to_do) epochs += plan_.beginnings[i].epochs;
  }
  for (const Work& work : at_work_) epochs += planned(work.job).epochs / 2;
  return clock_text(seconds_ / epochs_ * epochs / options_.jobs);
}

void Runner::show() const {
  if (!console_.shows_status()) return;
  const std::string failed = failed_ > 0 ? fmt::format(", {} failed", failed_) : "";
  console_.status(fmt::format("{} of {} runs done{}, {} at work, ETA {}", done_,
                              options_.runs.size(), failed, at_work_.size(), time_left()));
}

}  // namespace pare
