// Schedule: a number as a function of the update number. One type for learning rates, sparsities,
// factors.
//
// Positions (begin, end, drops, warmup) are counted in updates from the start of the phase,
// whatever unit they were given in. The phase's end, one past its last update, stands for the last
// update: a schedule that ends with its phase reaches its target exactly ON the last update. Values
// are a function of (update, span) alone.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/config/forward.h"

namespace pare {

// No position and no frequency is larger.
inline constexpr double kLongestSchedule = 1e9;

// What a schedule runs over.
struct ScheduleSpan {
  std::int64_t steps = 0;  // updates of the phase
  double steps_per_epoch = 0;
};

// What the number is for. It decides the legal range and the defaults:
enum class ScheduleUse {
  learning_rate,  // at least 0; `from` must be given
  sparsity,       // from 0 to 1; from 0; one update every 100 steps
  factor,         // at least 0; `from` must be given (soft pruning's alpha, temperatures)
};

struct Schedule {
  enum class Kind { constant, one_shot, linear, polynomial, exponential, cosine, step, one_cycle };
  enum class Unit { fraction, epochs, steps };

  Kind kind = Kind::constant;
  double from = 0;   // value before `begin`
  double to = 0;     // value from `end` on
  double power = 3;  // polynomial
  std::vector<double>
      drops;           // step (key "at"): positions at which the value is multiplied by gamma
  double gamma = 0.1;  // step
  double warmup = 0;   // length of the climb
  double begin = 0, end = 1;
  Unit unit = Unit::fraction;
  std::int64_t frequency = 1;  // updates between two changes of the value

  // A constant.
  static Schedule constant(double value);

  // The value of update `step`, 0 .. span.steps - 1; the target where the span has no steps.
  //
  // With p = (step - begin) / (end - begin), step rounded down to a multiple of `frequency` after
  // begin:
  //   linear       from + (to - from) p
  //   polynomial   to + (from - to) (1 - p)^power        (Zhu & Gupta 2017, "To prune, or not to
  //   prune", eq. 1) exponential  from (to / from)^p cosine       to + (from - to) (1 + cos(pi p))
  //   / 2  (Loshchilov & Hutter 2017, "SGDR", eq. 5) one_shot     from before begin, to from there
  //   on step         from gamma^(number of `drops` that are reached) one_cycle    from/25 to from
  //   over the warmup, linear, then as cosine (after Smith 2018, "Super-convergence")
  // The other kinds climb over the warmup w: from (step + 1) / (w + 1), and begin no earlier than
  // its end.
  double at(std::int64_t step, const ScheduleSpan& span) const;

  // Whether update `step` may bring a new value: begin, begin + frequency, ..., and the last one. A
  // pruner acts then.
  bool is_update(std::int64_t step, const ScheduleSpan& span) const;

  // The value that stays when the schedule is over.
  double target() const;

  // Throws ConfigError where a position lies after the end of the phase or the order of positions
  // is wrong.
  void check(const ScheduleSpan& span) const;

  // The same course for a phase whose number of steps is multiplied by `factor`: what is counted in
  // steps shrinks.
  Schedule scaled(double factor) const;

  bool operator==(const Schedule&) const = default;
};

// A number (constant) or an object.
config::Type<Schedule> schedule_type(ScheduleUse use);

}  // namespace pare
