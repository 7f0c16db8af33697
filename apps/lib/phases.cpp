#include "apps/lib/phases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/lib/shorten.h"
#include "datasets/load.h"
#include "datasets/split.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

constexpr std::int64_t kSmokeSteps = 20;

// A learning rate or a sparsity, with the place to name in errors.
void check(const Schedule& schedule, const ScheduleSpan& span, const std::string& where) {
  try {
    schedule.check(span);
  } catch (const ConfigError& error) {
    throw ConfigError(where + ": " + error.what());
  }
}

// Positions counted in updates of the shorter phase, whatever they were counted in.
void shrink(Schedule& schedule, const ScheduleSpan& full, double factor) {
  if (schedule.unit == Schedule::Unit::epochs) {
    for (double* position : {&schedule.begin, &schedule.end, &schedule.warmup})
      *position *= full.steps_per_epoch;
    for (double& drop : schedule.drops) drop *= full.steps_per_epoch;
    schedule.unit = Schedule::Unit::steps;
  }
  schedule = schedule.scaled(factor);
}

// `epochs`: factor on what is counted in epochs of the data at hand.
void shrink(MethodConfig& method, const ScheduleSpan& full, double factor, double epochs) {
  if (auto* prune = std::get_if<PruneConfig>(&method.options)) {
    shrink(prune->sparsity, full, factor);
    if (prune->factor) shrink(*prune->factor, full, factor);
    if (prune->regrow) {
      const auto every = static_cast<double>(prune->regrow->every);
      prune->regrow->every = std::max<std::int64_t>(1, std::llround(every * factor));
    }
    return;
  }
  if (auto* distill = std::get_if<DistillConfig>(&method.options))
    return shrink(distill->temperature, full, factor);
  if (auto* quantize = std::get_if<QuantizeConfig>(&method.options)) {
    quantize->delay *= epochs;
    if (quantize->freeze_observers_at) *quantize->freeze_observers_at *= epochs;
  }
}

void shrink_learning_rates(RunConfig& run, const std::vector<ScheduleSpan>& full,
                           const std::vector<ScheduleSpan>& now) {
  const std::vector<RateCourse> before = rate_courses(run, full), after = rate_courses(run, now);
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    PhaseConfig& phase = run.phases[i];
    if (phase.continues) {
      phase.optimizer.learning_rate = run.phases[i - 1].optimizer.learning_rate;
      continue;
    }
    const ScheduleSpan whole = before[i].shortest(), part = after[i].shortest();
    if (whole.steps == 0) continue;
    shrink(phase.optimizer.learning_rate, whole,
           static_cast<double>(part.steps) / static_cast<double>(whole.steps));
  }
}

// `epochs`: factor on epochs of the first phase.
void shrink_rewinds(RunConfig& run, double epochs) {
  for (auto& [name, method] : run.compression) {
    auto* prune = std::get_if<PruneConfig>(&method.options);
    if (prune && prune->rewind) prune->rewind->to *= epochs;
  }
}

// The updates of a phase in which it goes back to early weights, ascending.
std::vector<std::int64_t> rounds_of(const RunConfig& run, const PhaseConfig& phase,
                                    std::int64_t steps) {
  std::set<std::int64_t> begins;
  for (const std::string& name : phase.apply) {
    const auto* prune = std::get_if<PruneConfig>(&run.method(name).options);
    if (!prune || !prune->rewind) continue;
    for (std::int64_t round = 0; round < prune->rewind->rounds; ++round)
      begins.insert(prune->rewind->begin(round, steps));
  }
  return {begins.begin(), begins.end()};
}

MethodConfig& method_of(RunConfig& run, const std::string& name) {
  return std::find_if(run.compression.begin(), run.compression.end(),
                      [&](const auto& entry) { return entry.first == name; })
      ->second;
}

}  // namespace

std::int64_t steps_per_epoch(const RunConfig& run, std::int64_t train_images) {
  return train_images / std::min(run.dataset.batch_size, train_images);
}

std::vector<ScheduleSpan> phase_spans(const RunConfig& run, std::int64_t train_images) {
  const auto per_epoch = static_cast<double>(steps_per_epoch(run, train_images));
  std::vector<ScheduleSpan> spans;
  double epochs = 0;      // of a phase and those that continue it, so far
  std::int64_t done = 0;  // their updates
  for (const PhaseConfig& phase : run.phases) {
    if (!phase.continues) epochs = 0, done = 0;
    epochs +=
        phase.steps ? static_cast<double>(*phase.steps) / per_epoch : phase.epochs.value_or(0);
    const std::int64_t steps = phase.steps ? *phase.steps : std::llround(epochs * per_epoch) - done;
    spans.push_back({phase.calibrates() ? 0 : std::max<std::int64_t>(1, steps), per_epoch});
    done += spans.back().steps;
  }
  return spans;
}

double RateCourse::at(const Schedule& rate, std::int64_t step) const {
  const auto next = std::upper_bound(rounds.begin(), rounds.end(), step);
  const std::int64_t begin = next == rounds.begin() ? 0 : *(next - 1);
  if (next == rounds.end()) return rate.at(done + step - begin, span);
  return rate.at(step - begin, {.steps = *next - begin, .steps_per_epoch = span.steps_per_epoch});
}

ScheduleSpan RateCourse::shortest() const {
  ScheduleSpan least = span;
  for (std::size_t r = 1; r < rounds.size(); ++r)
    least.steps = std::min(least.steps, rounds[r] - rounds[r - 1]);
  return least;
}

// A phase that rewinds continues none (course.h), so only the first of several has rounds.
std::vector<RateCourse> rate_courses(const RunConfig& run, const std::vector<ScheduleSpan>& spans) {
  std::vector<RateCourse> courses;
  while (courses.size() < spans.size()) {
    const std::size_t first = courses.size();
    std::vector<std::int64_t> rounds = rounds_of(run, run.phases[first], spans[first].steps);
    const std::int64_t earlier = rounds.empty() ? 0 : rounds.back();  // updates of other rounds
    ScheduleSpan whole = spans[first];
    whole.steps -= earlier;
    std::size_t end = first + 1;
    for (; end < spans.size() && run.phases[end].continues; ++end) whole.steps += spans[end].steps;
    courses.push_back({.span = whole, .done = 0, .rounds = std::move(rounds)});
    std::int64_t done = spans[first].steps - earlier;
    for (std::size_t i = first + 1; i < end; ++i) {
      courses.push_back({.span = whole, .done = done, .rounds = {}});
      done += spans[i].steps;
    }
  }
  return courses;
}

std::int64_t epochs_of(const ScheduleSpan& span) {
  const auto per_epoch = static_cast<std::int64_t>(span.steps_per_epoch);
  return (span.steps + per_epoch - 1) / per_epoch;
}

void check_schedules(const RunConfig& run, const std::vector<ScheduleSpan>& spans) {
  const std::vector<RateCourse> courses = rate_courses(run, spans);
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    const PhaseConfig& phase = run.phases[i];
    const std::string where = fmt::format("phases[{}] '{}'", i, phase.name);
    const char* in_rounds = courses[i].rounds.size() > 1 ? ", anew in every round" : "";
    check(phase.optimizer.learning_rate, courses[i].shortest(),
          where + ": optimizer.learning_rate" + in_rounds);
    for (const std::string& name : phase.apply) {
      const MethodConfig& method = run.method(name);
      if (const auto* prune = std::get_if<PruneConfig>(&method.options)) {
        const std::string path = fmt::format("{}: compression.{}.", where, name);
        check(prune->sparsity, spans[i], path + "sparsity");
        if (prune->factor) check(*prune->factor, spans[i], path + "factor");
        continue;
      }
      if (const auto* distill = std::get_if<DistillConfig>(&method.options)) {
        check(distill->temperature, spans[i],
              fmt::format("{}: compression.{}.temperature", where, name));
      }
      const auto* quantize = std::get_if<QuantizeConfig>(&method.options);
      const std::string late = quantize ? quantize->too_late(spans[i]) : "";
      if (!late.empty()) throw ConfigError(fmt::format("{}: compression.{}.{}", where, name, late));
    }
  }
}

void require_freezable(const PhaseConfig& phase, const Network& network) {
  std::vector<std::string> paths;
  for (const Parameter* parameter : network.parameters()) paths.push_back(parameter->path());
  for (const std::string& pattern : phase.freeze) {
    const bool found = std::any_of(paths.begin(), paths.end(),
                                   [&](const auto& path) { return matches(pattern, path); });
    if (found) continue;
    throw ConfigError(
        fmt::format("phase '{}': freeze: pattern '{}' matches no parameter{}; there are: {}",
                    phase.name, pattern, suggestion(pattern, paths), join(paths, ", ")));
  }
}

void make_smoke(RunConfig& run, Dataset& dataset) {
  dataset = shortened(run, dataset, {.steps = kSmokeSteps, .images = kSmoke});
}

Dataset shortened(RunConfig& run, const Dataset& dataset, const Cut& cut) {
  const std::int64_t uncut = std::max(dataset.uncut_train, dataset.train.count());
  const std::vector<ScheduleSpan> full = phase_spans(run, uncut);
  Dataset some{.kind = dataset.kind,
               .source = dataset.source,
               .classes = dataset.classes,
               .train = first_images(dataset.train, cut.images.train),
               .validation = first_images(dataset.validation, cut.images.test),
               .test = first_images(dataset.test, cut.images.test),
               .mean = dataset.mean,
               .std_dev = dataset.std_dev,
               .hash = ""};
  some.hash = hash_of(some);
  const auto per_epoch = static_cast<double>(steps_per_epoch(run, some.train.count()));
  std::set<std::string> shrunk;  // a method that comes back keeps what its first phase made of it
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    PhaseConfig& phase = run.phases[i];
    if (phase.calibrates()) continue;
    const std::int64_t steps = std::min(full[i].steps, cut.steps);
    const double factor = static_cast<double>(steps) / static_cast<double>(full[i].steps);
    phase.epochs.reset();
    phase.steps = steps;
    const double epochs = factor * full[i].steps_per_epoch / per_epoch;
    if (i == 0) shrink_rewinds(run, epochs);
    for (const std::string& name : phase.apply) {
      if (shrunk.insert(name).second) shrink(method_of(run, name), full[i], factor, epochs);
    }
  }
  run.report.telemetry = std::min<std::int64_t>(run.report.telemetry, cut.steps / 2);
  shrink_learning_rates(run, full, phase_spans(run, some.train.count()));
  return some;
}

}  // namespace pare
