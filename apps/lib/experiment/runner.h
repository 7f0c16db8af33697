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
  std::optional<double> time_limit;  // seconds from the start of run()
  std::string data_dir;
};

class Runner {
 public:
  // All must outlive the runner.
  Runner(const Plan& plan, const ExperimentFolder& folder, const RunnerOptions& options,
         Console& console);

  // Runs everything that is not finished; `after_each` is called when a run has ended. Throws
  // Stopped on SIGINT, SIGTERM and at the end of the time, when the runs at work have saved.
  void run(const std::function<void()>& after_each);

 private:
  struct Work {
    std::size_t run;
    double start;
    Child child;
  };

  void start_more();
  void collect(const std::function<void()>& after_each);
  void ended(const Work& work, int code);
  [[noreturn]] void stop(int signal);
  std::vector<std::string> arguments(const PlannedRun& run) const;
  std::string label_of(std::size_t run) const;
  std::string time_left() const;
  void show() const;

  const Plan& plan_;
  const ExperimentFolder& folder_;
  const RunnerOptions& options_;
  Console& console_;
  std::string program_;
  std::list<std::size_t> waiting_;
  std::list<Work> at_work_;
  std::size_t done_ = 0;  // finished, also before
  std::size_t failed_ = 0;
  double seconds_ = 0;  // spent on runs that ended here
  double epochs_ = 0;   // of those
};

}  // namespace pare
