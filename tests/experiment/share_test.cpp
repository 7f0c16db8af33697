// Which runs share a dense beginning, and what one shard of an experiment does.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/experiment/shards.h"
#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

constexpr const char* kGrid =
    R"("axes": {"compression.int8.weights.bits": [8, 4, 2]}, "seeds": [1, 2])";

Plan shared_plan(const ExperimentFiles& files, const std::string& keys) {
  return files.plan(keys + R"(, "share": "dense")");
}

}  // namespace

TEST_CASE("runs of a seed share their dense beginning") {
  const ExperimentFiles files;
  const Plan alone = files.plan(kGrid), shared = shared_plan(files, kGrid);
  CHECK(alone.beginnings.empty());
  REQUIRE(shared.beginnings.size() == 2);
  for (const PlannedRun& run : shared.runs) {
    REQUIRE(run.beginning);
    const config::Json& beginning = shared.beginnings[*run.beginning].config;
    CHECK(beginning["seed"] == run.config["seed"]);
    CHECK(beginning["phases"].size() == 1);
    CHECK(beginning["compression"].empty());
    CHECK(run.epochs == doctest::Approx(1.5));  // of 3.5
  }
  // Sharing changes no run, so it can be switched on later.
  for (std::size_t i = 0; i < alone.runs.size(); ++i)
    CHECK(alone.runs[i].hash == shared.runs[i].hash);
}

TEST_CASE("what no other run shares, or begins with compression, is not shared") {
  const ExperimentFiles files;
  const std::string alone = R"(, "report": {"dense": false})";
  CHECK(shared_plan(files, R"("seeds": [1, 2])" + alone).beginnings.empty());
  CHECK(shared_plan(files, R"("axes": {"dataset.batch_size": [8, 16]}, "seeds": [1])" + alone)
            .beginnings.empty());
  CHECK(shared_plan(files, std::string(kGrid) + R"(, "set": {"phases[0].apply": ["int8"],
                                                            "phases[2].apply": []})")
            .beginnings.empty());
}

TEST_CASE(
    "runs share the longest beginning that they have in common, and beginnings a shorter one") {
  const ExperimentFiles files;
  const std::string grid = R"(
    "set": {"strategy": {"kind": "joint", "epochs": {"dense": 2, "stage": 1, "recover": 1}}},
    "axes": {"strategy.kind": ["prune_only", "prune_then_quantize", "joint"],
             "compression.int8.weights.bits": [8, 4]},
    "seeds": [1], "report": {"dense": false})";
  const Plan plan = files.plan(grid + R"(, "share": "phases")");
  REQUIRE(plan.runs.size() == 5);
  REQUIRE(plan.beginnings.size() == 2);  // of all; pruned for an epoch
  double epochs = 0;
  for (const PlannedRun& run : plan.runs) {
    REQUIRE(run.beginning);
    CHECK(run.all_epochs == doctest::Approx(5));
    epochs += run.epochs;
    const bool is_joint = run.config["phases"][1]["apply"].size() == 2;
    CHECK(beginnings_of(plan, run).size() == (is_joint ? 1 : 2));
    CHECK(run.epochs == doctest::Approx(is_joint ? 3 : 2));
    for (const std::size_t i : beginnings_of(plan, run)) {
      const config::Json& phases = plan.beginnings[i].config["phases"];
      for (std::size_t k = 0; k < phases.size(); ++k) CHECK(phases[k] == run.config["phases"][k]);
    }
  }
  for (const PlannedRun& beginning : plan.beginnings) epochs += beginning.epochs;
  CHECK(epochs == doctest::Approx(2 + 1 + 3 * 2 + 2 * 3));
  const Plan dense = files.plan(grid + R"(, "share": "dense")");
  CHECK(dense.beginnings.size() == 1);
}

TEST_CASE("shards are all runs, each in one of them") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kGrid);
  for (const int count : {1, 2, 4, 6, 9}) {
    std::multiset<std::size_t> all;
    for (int index = 1; index <= count; ++index) {
      const auto runs = runs_of_shard(plan, {index, count});
      all.insert(runs.begin(), runs.end());
    }
    CHECK(all.size() == plan.runs.size());
    CHECK(std::set(all.begin(), all.end()).size() == plan.runs.size());
  }
}

TEST_CASE("a job array has one shard a task, and one task a seed") {
  const ExperimentFiles files;
  ExperimentOptions options;
  options.config = "it's.json";
  options.sets = {"dataset.limit=5"};
  const std::string script = slurm_script(files.plan(kGrid), options);
  CAPTURE(script);
  CHECK(script.find("#SBATCH --array=1-2\n") != std::string::npos);
  // To the batch shell, whose place the program takes; without B: to everything but it.
  CHECK(script.find("#SBATCH --signal=B:TERM@120\n") != std::string::npos);
  CHECK(script.find("--config 'it'\\''s.json' --set 'dataset.limit=5'") != std::string::npos);
  CHECK(script.find("--shard \"$SLURM_ARRAY_TASK_ID/2\"") != std::string::npos);
  options.tasks = 7;
  CHECK(slurm_script(files.plan(kGrid), options).find("--array=1-7\n") != std::string::npos);
}
