// RewindPoint: the network's values at the point that a lottery ticket rewinds to.
//
// The point lies in the first phase, before the method that rewinds is attached, so the trainer
// keeps it: parameters, batch norm's statistics and observed ranges, no masks. It is part of
// checkpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/lib/checkpoint.h"
#include "apps/lib/run_config.h"
#include "apps/lib/snapshot.h"
#include "framework/schedule.h"

namespace pare {

class RewindPoint {
 public:
  // Throws ConfigError where it lies behind the first phase, or two methods want different ones.
  RewindPoint(const RunConfig& run, const std::vector<ScheduleSpan>& spans);

  // Before update `run_step`: keeps the values where this is the point.
  void pass(std::int64_t run_step, const VisitState& visit_network);
  // Gives the network the kept values back.
  void restore(const VisitState& visit_network) const;

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

 private:
  std::optional<std::int64_t> step_;  // none: no method rewinds
  Snapshot values_;
};

}  // namespace pare
