// Progress of training: a bar with the time left on a terminal, and one line per epoch everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/lib/console.h"
#include "apps/lib/metrics.h"
#include "apps/lib/trainer.h"

namespace pare {

class Progress {
 public:
  // `done`: updates of the run before this process began.
  Progress(Console& console, const std::vector<ScheduleSpan>& spans, std::int64_t done);

  void step(const StepNews& news);
  void row(const EpochRow& row);
  void verifying(std::int64_t images, std::int64_t all);

 private:
  std::string time_left(std::int64_t run_step) const;

  Console& console_;
  std::int64_t steps_ = 0;   // of the run
  std::int64_t epochs_ = 0;  // of the run
  std::int64_t before_;
  double start_;
  double last_shown_ = 0;
};

// 75.4 -> "1:15", 4000 -> "1:06:40".
std::string clock_text(double seconds);

// Seconds from some fixed moment.
double monotonic_seconds();

}  // namespace pare
