// What the phases of a run become once the number of training images is known: updates, and the
// rules that need it.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/lib/run_config.h"
#include "datasets/dataset.h"
#include "datasets/load.h"
#include "framework/schedule.h"

namespace pare {

// Updates per epoch; images that do not fill the last batch wait for the next epoch's order.
std::int64_t steps_per_epoch(const RunConfig& run, std::int64_t train_images);

// One per phase. A phase of epochs has round(epochs * steps per epoch) updates, at least one where
// epochs is above 0; one that continues ends where both together would.
std::vector<ScheduleSpan> phase_spans(const RunConfig& run, std::int64_t train_images);

// Where a phase lies in the course of its learning rate, which runs from a fresh optimizer to the
// next one: a phase that continues shares one with the phases before it, and a phase that rewinds
// has one for each of its rounds (Frankle & Carbin 2019 train every round with the whole schedule).
struct RateCourse {
  ScheduleSpan span;                      // of all phases of the course; of several, the last one
  std::int64_t done = 0;                  // updates of that course before this phase
  std::vector<std::int64_t> rounds = {};  // updates of the phase that begin one; none: no rewinding

  // The rate of update `step` of the phase.
  double at(const Schedule& rate, std::int64_t step) const;
  // Rounds may differ by an update, and the last one by the phases that continue it.
  ScheduleSpan shortest() const;
};
std::vector<RateCourse> rate_courses(const RunConfig& run, const std::vector<ScheduleSpan>& spans);

// Epochs that a progress line counts: validations at ends of epochs and phases.
std::int64_t epochs_of(const ScheduleSpan& span);

// Throws ConfigError where a schedule does not fit its phase.
void check_schedules(const RunConfig& run, const std::vector<ScheduleSpan>& spans);

// Throws ConfigError where a pattern of `freeze` matches no parameter of the network that the phase
// trains.
void require_freezable(const PhaseConfig& phase, const Network& network);

// Images enough for --smoke.
inline constexpr Enough kSmoke = {.train = 512, .test = 256};

// --smoke: at most 20 updates per phase on 512 training images, 256 to validate and 256 to test;
// schedules keep their course. Changes nothing that was cut before.
void make_smoke(RunConfig& run, Dataset& dataset);

}  // namespace pare
