// What auto methods try before their phase begins: short runs of their own.
#include <algorithm>
#include <cmath>

#include "apps/lib/auto/search.h"
#include "apps/lib/trainer.h"

namespace pare {

void Trainer::decide(const std::string& method, std::vector<LayerChoice> choices) {
  decisions_[method] = nullptr;
  methods_.decide(method, std::move(choices));
}

// One phase of a run of its own, from a copy of the network as it is now.
double Trainer::accuracy_of_trial(const std::string& method,
                                  const std::vector<LayerChoice>& choices) {
  RunConfig run = run_;
  PhaseConfig trial = phase();
  const double epochs = std::get<AutoConfig>(run.method(method).options).search.epochs;
  trial.steps = std::min(span().steps,
                         std::max<std::int64_t>(1, std::llround(epochs * span().steps_per_epoch)));
  trial.epochs.reset();
  trial.apply = {method};
  trial.release.clear();
  trial.continues = false;
  run.phases = {trial};
  run.report.telemetry = 0;
  TrainerEvents events;
  events.stop = events_.stop;
  Trainer trainer(run, dataset_, events);
  trainer.start_from(copy_of(network_));
  trainer.decide(method, choices);
  trainer.run();
  return *trainer.state().rows.back().validation;
}

void Trainer::search_for(const std::string& method) {
  const auto* config = std::get_if<AutoConfig>(&run_.method(method).options);
  const config::Json before = decisions_.value(method, config::Json());
  const bool given = decisions_.contains(method) && before.is_null();
  if (!config || given || is_decided(before)) return;
  network_.release();
  const SearchEvents events = {
      .progress =
          [&](const config::Json& decision) {
            decisions_[method] = decision;
            save(false);
          },
      .say = events_.say,
      .trial = [&](const auto& choices) { return accuracy_of_trial(method, choices); }};
  methods_.decide(method, choices_of(search(before, *config, run_, dataset_, network_, events)));
}

}  // namespace pare
