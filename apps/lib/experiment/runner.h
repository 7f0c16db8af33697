// Runner: starts what is not finished, several runs at once, each a process of its own. It decides
// nothing about results: what a run found is in its folder, what failed is recorded there, and the
// others go on.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/console.h"
#include "apps/lib/experiment/child.h"
#include "apps/lib/experiment/experiment_folder.h"
#include "apps/lib/experiment/plan.h"

namespace pare {

struct RunnerOptions {
  int jobs = 1;     // runs at once
  int threads = 0;  // of each run; 0: its own default
  std::string data_dir;
  std::optional<double> time_limit;  // seconds; then as if SIGTERM had come
  std::vector<std::size_t> runs;     // of the plan: those that are ours
};

class Runner {
 public:
  // All must outlive the runner.
  Runner(const Plan& plan, const ExperimentFolder& folder, const ExperimentFolder& beginnings,
         const RunnerOptions& options, Console& console);

  // Runs everything that is not finished; `after_each` is called when a run has ended. Throws
  // Stopped on SIGINT, SIGTERM and at the end of the time, when the runs at work have saved.
  void run(const std::function<void()>& after_each);

  // Runs that failed without a trace in their folder, which could not be written.
  std::size_t unrecorded() const { return unrecorded_; }

 private:
  // A run, or a beginning that runs wait for.
  struct Job {
    bool is_beginning;
    std::size_t index;
  };
  struct Work {
    Job job;
    double start;
    bool is_fresh;  // not one that goes on where it was stopped: its time says what its epochs cost
    Child child;
  };
  enum class State { to_do, at_work, done, failed };

  const PlannedRun& planned(Job job) const {
    return job.is_beginning ? plan_.beginnings[job.index] : plan_.runs[job.index];
  }
  const ExperimentFolder& folder_of(Job job) const {
    return job.is_beginning ? beginnings_ : folder_;
  }
  void start_more();
  // Nothing where all that is left waits for something at work.
  std::optional<Job> next_job();
  // The first of a run's beginnings that is not done.
  std::optional<std::size_t> lacks(std::size_t run) const;
  void fail_without_beginning(std::size_t run, std::size_t beginning);
  void start(Job job);
  void collect(const std::function<void()>& after_each);
  void ended(const Work& work, int code);
  void taken(Job job);
  void left(Job job);
  void failed(Job job, const Failure& failure);
  void drop_checkpoints(std::size_t run) const;
  void record(Job job, const Failure& failure);
  [[noreturn]] void stop(int signal);
  std::vector<std::string> arguments(Job job) const;
  std::string label_of(Job job) const;
  std::string time_left() const;
  void show() const;

  const Plan& plan_;
  const ExperimentFolder& folder_;
  const ExperimentFolder& beginnings_;
  const RunnerOptions& options_;
  Console& console_;
  std::string program_;
  std::list<std::size_t> waiting_;  // runs
  std::vector<State> begun_;        // of every beginning
  std::list<Work> at_work_;
  std::size_t done_ = 0;  // finished, also before
  std::size_t failed_ = 0;
  std::size_t left_ = 0;  // at work elsewhere
  std::size_t unrecorded_ = 0;
  double seconds_ = 0;  // spent on runs that were trained here as a whole
  double epochs_ = 0;   // of those
};

}  // namespace pare
