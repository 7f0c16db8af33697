// Random configs over all layers, optimizers, schedules, methods and shapes of data: each is
// refused before training with a reason, or trains some updates without NaN and, where it has an
// integer form, is verified. PARE_CONFIGS sets how many
// (default 300, with PARE_SLOW 3000).
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>

#include "apps/lib/finish.h"
#include "apps/lib/phases.h"
#include "apps/lib/trainer.h"
#include "tests/apps/random_config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

using config::Json;

constexpr const char* kLate = "refused after training: ";

// What became of a config: "trained", or why it was refused. Anything else throws.
std::string outcome_of(const Json& json, const Dataset& data) {
  RunConfig run;
  try {
    run = config::read<RunConfig>(config::load_text(json.dump(), "random"));
    check_schedules(run, phase_spans(run, data.train.count()));
    rehearse(run, data);
    Trainer(run, data, {});
  } catch (const ConfigError& refused) {
    return refused.what();
  }
  Trainer trainer(run, data, {});
  trainer.run();
  trainer.restore_kept();
  try {
    const Outcome outcome = finish(trainer.network(), run, data, nullptr);
    if (outcome.integer) require_verified(outcome.integer->verification);
  } catch (const ConfigError& refused) {
    return std::string(kLate) + refused.what();
  }
  return "trained";
}

}  // namespace

TEST_CASE("random configs train without NaN, or are refused with a reason") {
  const char* wanted = std::getenv("PARE_CONFIGS");
  const int usual = std::getenv("PARE_SLOW") ? 3000 : 300;
  const int configs = wanted ? std::atoi(wanted) : usual;
  int trained = 0, late = 0;
  std::map<std::string, int> reasons;
  for (int i = 0; i < configs; ++i) {
    const auto config = random_config(static_cast<std::uint64_t>(i) + 1);
    const auto& data = config.data;
    const auto& json = config.json;
    CAPTURE(i);
    CAPTURE(json.dump());
    std::string outcome;
    const std::string error =
        error_of([&outcome, &d = data, &j = json] { outcome = outcome_of(j, d); });
    CHECK(error == "(no error)");
    trained += outcome == "trained";
    late += outcome.starts_with(kLate);
    if (outcome != "trained" && !outcome.empty()) ++reasons[outcome.substr(0, 160)];
  }
  MESSAGE(configs, " configs, ", trained, " trained, ", late,
          " without an integer form in the end");
  if (wanted) {
    for (const auto& [reason, count] : reasons) MESSAGE(count, ": ", reason);
  }
  // A relu that died, or a step that learned to be nothing, leaves an edge whose range, 1e-11 or so,
  // no multiplier reaches.
  CHECK(late * 60 <= configs);
  CHECK(trained * 2 > configs);  // a generator whose configs are refused shows nothing
}
