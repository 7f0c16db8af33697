// Random configs over all layers, optimizers, schedules, methods, calibrations and shapes of data:
// each is refused before training with a reason, or trains some updates without NaN, is the same
// after it was stopped and resumed, saved and loaded, and, where it has an integer form, is
// verified, and its result can be written. PARE_CONFIGS sets how many (default 60).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "apps/lib/finish.h"
#include "apps/lib/layer_statistics.h"
#include "apps/lib/phases.h"
#include "apps/lib/result.h"
#include "apps/lib/trainer.h"
#include "compression/integer/model_file.h"
#include "framework/config/config.h"
#include "tests/apps/random_config.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

using config::Json;

constexpr const char* kLate = "refused after training: ";
constexpr const char* kAnother = "without its masked channels is not the same in integers";

Snapshot by_name(Snapshot arrays) {
  std::sort(arrays.begin(), arrays.end(),
            [](const NamedArray& a, const NamedArray& b) { return a.name < b.name; });
  return arrays;
}

// What is saved is loaded: the checkpoint with all that it holds, and a network from it that becomes
// the same model.
void check_loaded(TinyRun& run, const RunConfig& config, const Dataset& data,
                  const TemporaryFolder& folder) {
  const Checkpoint saved = run.trainer().checkpoint();
  save_checkpoint(saved, folder.file("saved.h5"));
  const Checkpoint loaded = load_checkpoint(folder.file("saved.h5"));
  CHECK((by_name(loaded.arrays) == by_name(saved.arrays)));
  CHECK(loaded.network == saved.network);
  CHECK(loaded.decisions == saved.decisions);
  CHECK(loaded.config == saved.config);
  if (!config.integer_refusal().empty()) return;
  Network network = network_of(loaded, "saved");
  const std::vector<std::byte> bytes = lower_network(network, config, data).bytes;
  CHECK((bytes == lower_network(run.trainer().network(), config, data).bytes));
  CHECK((bytes == integer::encode_model(integer::decode_model(bytes, "model"))));
}

// Its result can be written: no sparsity beyond 1, and no layer whose weights are counted twice.
void check_result(const RunConfig& run, const Dataset& data, Trainer& trainer,
                  const Outcome& outcome) {
  const std::vector<LayerStatistics> layers =
      layer_statistics(trainer.network(), data.test, trainer.values());
  const Json result = result_json(run, data, trainer, outcome, layers, 1, nullptr);
  CHECK(result["sparsity"].is_number());
  for (const Json& layer : result["layers"]) {
    CHECK(layer["zeros_by_mask"] <= layer["weights"]);
    CHECK(layer["zeros"].get<std::int64_t>() == layer["zeros_by_mask"].get<std::int64_t>() +
                                                    layer["zeros_by_rounding"].get<std::int64_t>());
  }
  for (const Json& pruning : result["pruning"]) {
    CHECK(pruning["pruned"] >= 0);
    CHECK(pruning["pruned"] <= 1);
  }
}

// Stopped behind `updates` and resumed, it ends as it did.
void check_resumed(const TinyRun::End& end, const RunConfig& config, const Dataset& data,
                   std::int64_t updates) {
  TinyRun stopped(config, updates, data);
  CHECK_THROWS_AS(stopped.train(), Stopped);
  TinyRun resumed(config, -1, data);
  resumed.resume(stopped);
  CHECK((resumed.end() == end));
}

// What became of a config: "trained", or why it was refused. Anything else throws.
std::string outcome_of(const Json& json, const Dataset& data, std::int64_t draw) {
  RunConfig run;
  std::int64_t updates = 0;
  try {
    run = config::read<RunConfig>(config::load_text(json.dump(), "random"));
    const std::vector<ScheduleSpan> spans = phase_spans(run, data.train.count());
    check_schedules(run, spans);
    for (const ScheduleSpan& span : spans) updates += span.steps;
    rehearse(run, data);
    Trainer(run, data, {});
  } catch (const ConfigError& refused) {
    return refused.what();
  }
  const TemporaryFolder folder;
  TinyRun whole(run, -1, data);
  try {
    whole.train();
  } catch (const ConfigError& found) {
    // What only the values decide: a tensor that vanished, and a shrunk network that is another.
    const std::string why = found.what();
    if (!contains(why, "must be at least 2^-100") && !contains(why, kAnother)) throw;
    return kLate + why;
  }
  TinyRun::End end;
  try {
    check_loaded(whole, run, data, folder);
    end.checkpoint = read_file(whole.last(), 1 << 24);
    const Outcome outcome = finish(whole.trainer().network(), run, data, nullptr);
    if (outcome.integer) require_verified(outcome.integer->verification);
    if (outcome.integer) end.model = outcome.integer->bytes;
    check_result(run, data, whole.trainer(), outcome);
  } catch (const ConfigError& refused) {
    return std::string(kLate) + refused.what();
  }
  if (updates > 1) check_resumed(end, run, data, 1 + draw % (updates - 1));
  return "trained";
}

}  // namespace

TEST_CASE("random configs train, resume, load and lower, or are refused with a reason") {
  const char* wanted = std::getenv("PARE_CONFIGS");
  const int configs = wanted ? std::atoi(wanted) : 60;
  int trained = 0, late = 0, another = 0;
  std::map<std::string, int> reasons;
  for (int i = 0; i < configs; ++i) {
    const auto config = random_config(static_cast<std::uint64_t>(i) + 1);
    const auto& data = config.data;
    const auto& json = config.json;
    CAPTURE(i);
    CAPTURE(json.dump());
    std::string outcome;
    const std::string error =
        error_of([&, &d = data, &j = json] { outcome = outcome_of(j, d, i); });
    CHECK(error == "(no error)");
    trained += outcome == "trained";
    another += contains(outcome, kAnother);
    late += outcome.starts_with(kLate) && !contains(outcome, kAnother);
    if (outcome != "trained" && !outcome.empty()) ++reasons[outcome.substr(0, 160)];
  }
  MESSAGE(configs, " configs, ", trained, " trained, ", late,
          " stopped by what their values became, ", another, " by what shrinking would change");
  if (wanted) {
    for (const auto& [reason, count] : reasons) MESSAGE(count, ": ", reason);
  }
  CHECK(late * 100 <= configs);
  // Grids are made of weights that go: that are masked behind the grid, or read a dead channel.
  CHECK(another * 20 <= configs);
  CHECK(trained * 2 > configs);  // a generator whose configs are refused shows nothing
}
