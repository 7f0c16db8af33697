// What a schedule computes: positions become update numbers, rounded to the nearest, and an update
// number becomes a value. How a config says it stands in schedule_config.cpp.
#include "framework/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/base/error.h"

namespace pare {
namespace {

using Kind = Schedule::Kind;
using Unit = Schedule::Unit;

constexpr double kOneCycleDivisor = 25;

// A position as a number of updates since the start of the phase, not limited to the phase.
std::int64_t updates(const Schedule& schedule, double position, const ScheduleSpan& span) {
  switch (schedule.unit) {
    case Unit::fraction:
      position *= static_cast<double>(span.steps);
      break;
    case Unit::epochs:
      position *= span.steps_per_epoch;
      break;
    case Unit::steps:
      break;
  }
  return std::llround(std::min(position, kLongestSchedule));
}

std::int64_t update_number(const Schedule& schedule, double position, const ScheduleSpan& span) {
  return std::min(updates(schedule, position, span), span.steps - 1);
}

// The schedule's own positions as update numbers: warmup <= begin <= end < span.steps.
struct Course {
  std::int64_t warmup, begin, end;

  Course(const Schedule& s, const ScheduleSpan& span)
      : warmup(update_number(s, s.warmup, span)),
        begin(std::max(update_number(s, s.begin, span), warmup)),
        end(std::max(update_number(s, s.end, span), begin)) {}

  // The update whose value `step` still has.
  std::int64_t held(std::int64_t step, std::int64_t frequency) const {
    if (step >= end || step <= begin) return std::clamp(step, begin, end);
    return begin + (step - begin) / frequency * frequency;
  }
};

double climb(const Schedule& s, std::int64_t step, std::int64_t warmup) {
  const auto t = static_cast<double>(step), w = static_cast<double>(warmup);
  if (s.kind != Kind::one_cycle) return s.from * (t + 1) / (w + 1);
  const double low = s.from / kOneCycleDivisor;
  return low + (s.from - low) * t / w;
}

// The value at 0 < p < 1 of the way.
double between(const Schedule& s, double p) {
  switch (s.kind) {
    case Kind::constant:
      return s.to;
    case Kind::one_shot:
      return s.to;
    case Kind::step:
      return s.from;  // drops are counted elsewhere
    case Kind::linear:
      return s.from + (s.to - s.from) * p;
    case Kind::polynomial:
      return s.to + (s.from - s.to) * std::pow(1 - p, s.power);
    case Kind::exponential:
      return s.from * std::pow(s.to / s.from, p);
    case Kind::cosine:
    case Kind::one_cycle:
      return s.to + (s.from - s.to) * (1 + std::cos(std::numbers::pi * p)) / 2;
  }
  return s.to;
}

double dropped(const Schedule& s, std::int64_t count) {
  return s.from * std::pow(s.gamma, static_cast<double>(count));
}

}  // namespace

Schedule Schedule::constant(double value) {
  Schedule schedule;
  schedule.from = schedule.to = value;
  return schedule;
}

double Schedule::target() const {
  return kind == Kind::step ? dropped(*this, static_cast<std::int64_t>(drops.size())) : to;
}

double Schedule::at(std::int64_t step, const ScheduleSpan& span) const {
  if (span.steps <= 0) return target();
  const Course course(*this, span);
  if (step < course.warmup) return climb(*this, step, course.warmup);
  if (kind == Kind::constant) return to;
  if (kind == Kind::one_shot) return step < course.begin ? from : to;
  if (kind == Kind::step) {
    return dropped(*this, std::count_if(drops.begin(), drops.end(), [&](double drop) {
      return update_number(*this, drop, span) <= step;
    }));
  }
  const std::int64_t held = course.held(step, frequency);
  if (held >= course.end) return to;
  if (held == course.begin) return from;
  return between(*this, static_cast<double>(held - course.begin) /
                            static_cast<double>(course.end - course.begin));
}

bool Schedule::is_update(std::int64_t step, const ScheduleSpan& span) const {
  const Course course(*this, span);
  if (step < course.warmup) return true;
  switch (kind) {
    case Kind::constant:
      return step == course.warmup;
    case Kind::one_shot:
      return step == course.begin;
    case Kind::step:
      return step == course.warmup || std::any_of(drops.begin(), drops.end(), [&](double drop) {
               return update_number(*this, drop, span) == step;
             });
    default:
      return step == course.end ||
             (step >= course.begin && step < course.end && (step - course.begin) % frequency == 0);
  }
}

void Schedule::check(const ScheduleSpan& span) const {
  if (span.steps <= 0) return;
  const char* const unit_name = unit == Unit::fraction ? "of the phase"
                                : unit == Unit::epochs ? "epochs"
                                                       : "steps";
  const auto within = [&](const char* key, double position) {
    const std::int64_t update = updates(*this, position, span);
    if (update <= span.steps) return;
    throw ConfigError(fmt::format(
        "schedule: expected '{}' within its phase of {} steps, got {} {}{}; try \"unit\": "
        "\"fraction\"",
        key, span.steps, position, unit_name,
        unit == Unit::steps ? "" : fmt::format(" = {} steps", update)));
  };
  within("begin", begin);
  within("end", end);
  within("warmup", warmup);
  for (const double drop : drops) within("at", drop);
}

Schedule Schedule::scaled(double factor) const {
  Schedule result = *this;
  result.frequency =
      std::max<std::int64_t>(1, std::llround(static_cast<double>(frequency) * factor));
  if (unit != Unit::steps) return result;
  for (double* position : {&result.begin, &result.end, &result.warmup}) *position *= factor;
  for (double& drop : result.drops) drop *= factor;
  return result;
}

}  // namespace pare
