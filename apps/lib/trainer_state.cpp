// What a checkpoint holds of a trainer, and a trainer that goes on from one.
#include <fmt/format.h>

#include "apps/lib/auto/search.h"
#include "apps/lib/diverged.h"
#include "apps/lib/trainer.h"
#include "compression/network_json.h"
#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {

void Trainer::visit_network(StateVisitor& visitor) {
  network_.release();  // writing needs sole ownership
  network_.visit_state(visitor);
}

Checkpoint Trainer::checkpoint() {
  Checkpoint c{.config = config::write(run_),
               .network = describe_network(network_),
               .data_hash = dataset_.hash,
               .state = state_};
  collect(c.arrays, kNetworkArrays, [&](StateVisitor& v) { visit_network(v); });
  collect(c.arrays, "", [&](StateVisitor& v) { methods_.visit_state(v); });
  if (optimizer_) collect(c.arrays, "", [&](StateVisitor& v) { optimizer_->visit_state(v); });
  rewind_point_.save(c);
  teachers_.save(c);
  c.decisions = decisions_;
  telemetry_.save(c.arrays);
  c.state.measured = telemetry_.last();
  require_finite(c);
  return c;
}

void Trainer::require_finite(const Checkpoint& c) const {
  const std::string bad = first_bad_array(c.arrays);
  if (bad.empty()) return;
  throw DivergedError(fmt::format(
      "after {} updates: '{}' holds numbers that are not finite, so no checkpoint is written; the "
      "one before stays. Try a smaller learning rate",
      state_.run_step, bad));
}

void Trainer::resume(const Checkpoint& checkpoint, Snapshot best, const std::string& what) {
  state_ = checkpoint.state;
  const std::size_t phases = run_.phases.size();
  const bool misplaced = state_.phase > phases || (state_.phase == phases && state_.started);
  if (misplaced || (!misplaced && state_.started && state_.step > span().steps)) {
    throw DataError(what + ": stands behind the end of the run");
  }
  const std::size_t attached = state_.phase + (state_.started ? 1 : 0);
  network_ = network_of(checkpoint, what);
  decisions_ = checkpoint.decisions;
  for (const auto& [name, decision] : decisions_.items()) {
    if (is_decided(decision)) methods_.decide(name, choices_of(decision));
  }
  methods_.resume(std::span(run_.phases).first(attached), network_);
  teachers_.restore(checkpoint, what);
  teachers_.introduce(methods_);
  if (state_.started || goes_on()) make_phase_optimizer();
  const auto arrays = [&](const char* prefix) { return part_of(checkpoint.arrays, prefix); };
  restore(
      arrays(kMethodArrays), "", [&](StateVisitor& v) { methods_.visit_state(v); }, what);
  if (optimizer_) {
    restore(
        arrays(kOptimizerArrays), "", [&](StateVisitor& v) { optimizer_->visit_state(v); }, what);
    optimizer_->exchange();  // a checkpoint's network is the averaged one
  }
  rewind_point_.load(checkpoint);
  telemetry_.restore(checkpoint.arrays, checkpoint.state.measured);
  best_ = std::move(best);
}

void Trainer::restore_kept() {
  if (kept() + 1 == state_.rows.size()) return;
  restore(
      best_, kNetworkArrays, [&](StateVisitor& v) { visit_network(v); }, "the best network so far");
}

}  // namespace pare
