#include "apps/lib/experiment/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/progress.h"
#include "apps/lib/signals.h"
#include "apps/lib/trainer.h"

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

Runner::Runner(const Plan& plan, const ExperimentFolder& folder, const RunnerOptions& options,
               Console& console)
    : plan_(plan),
      folder_(folder),
      options_(options),
      console_(console),
      program_(sibling_program("train")) {
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    if (folder.is_finished(plan.runs[i].hash)) {
      ++done_;
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
  while (!waiting_.empty() && std::ssize(at_work_) < options_.jobs) {
    const std::size_t i = waiting_.front();
    waiting_.pop_front();
    const PlannedRun& run = plan_.runs[i];
    folder_.prepare(run.hash, run.config);
    console_.detail(fmt::format("starting {} {}", run.hash, label_of(i)));
    at_work_.push_back({.run = i,
                        .start = monotonic_seconds(),
                        .child = Child(program_, arguments(run), folder_.errors_of(run.hash))});
  }
}

std::vector<std::string> Runner::arguments(const PlannedRun& run) const {
  std::vector<std::string> list = {"--resume", "--out", folder_.run(run.hash), "-q"};
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
    ended(*work, *code);
    work = at_work_.erase(work);
    after_each();
  }
}

void Runner::ended(const Work& work, int code) {
  const PlannedRun& run = plan_.runs[work.run];
  const double seconds = monotonic_seconds() - work.start;
  const std::optional<config::Json> result = folder_.result(run.hash);
  if (code == 0 && result) {
    ++done_;
    seconds_ += seconds;
    epochs_ += run.epochs;
    console_.say(fmt::format("[{}/{}] {}: {} after {}, ETA {}", done_ + failed_, plan_.runs.size(),
                             label_of(work.run), outcome_text(*result), clock_text(seconds),
                             time_left()));
    return;
  }
  ++failed_;
  const Failure failure = folder_.failure_of(run.hash, code);
  folder_.record(run.hash, failure);
  console_.warn(
      fmt::format("{} failed (exit code {}): {}", label_of(work.run), code, failure.message));
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
std::string Runner::label_of(std::size_t run) const {
  const auto row = std::find_if(plan_.rows.begin(), plan_.rows.end(),
                                [run](const PlannedRow& r) { return r.run == run; });
  PARE_ENSURE(row != plan_.rows.end());
  return fmt::format("{} seed {}", label(plan_.experiment, plan_.cells[row->cell]), row->seed);
}

// Runs cost as many epochs as they train; what is at work counts as half done.
std::string Runner::time_left() const {
  if (epochs_ <= 0) return "?";
  double epochs = 0;
  for (const std::size_t i : waiting_) epochs += plan_.runs[i].epochs;
  for (const Work& work : at_work_) epochs += plan_.runs[work.run].epochs / 2;
  return clock_text(seconds_ / epochs_ * epochs / options_.jobs);
}

void Runner::show() const {
  if (!console_.shows_status()) return;
  const std::string failed = failed_ > 0 ? fmt::format(", {} failed", failed_) : "";
  console_.status(fmt::format("{} of {} runs done{}, {} at work, ETA {}", done_, plan_.runs.size(),
                              failed, at_work_.size(), time_left()));
}

}  // namespace pare
