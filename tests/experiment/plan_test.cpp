// From the text of an experiment to its cells and runs.
#include "apps/lib/experiment/plan.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "framework/config/config.h"
#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

std::vector<std::string> labels(const Plan& plan) {
  std::vector<std::string> result;
  for (const Cell& cell : plan.cells) result.push_back(label(plan.experiment, cell));
  return result;
}

constexpr const char* kBits = R"("compression.int8.weights.bits": [8, 4])";
constexpr const char* kSparsity = R"("pruned": [
  {"label": "half", "set": {"compression.prune.sparsity": 0.5}},
  {"label": "most", "set": {"compression.prune.sparsity": 0.9}}])";

std::string axes(const std::string& a, const std::string& b = "") {
  return "\"axes\": {" + a + (b.empty() ? "" : ", " + b) + "}";
}

}  // namespace

TEST_CASE("every combination of the axes is a cell, the last axis varying fastest") {
  const ExperimentFiles files;
  const Plan plan = files.plan(axes(kBits, kSparsity) + R"(, "seeds": [3, 1])");
  CHECK(labels(plan) == std::vector<std::string>{"compression.int8.weights.bits=8 pruned=half",
                                                 "compression.int8.weights.bits=8 pruned=most",
                                                 "compression.int8.weights.bits=4 pruned=half",
                                                 "compression.int8.weights.bits=4 pruned=most"});
  REQUIRE(plan.rows.size() == 8);
  CHECK(plan.rows[0].seed == 3);
  CHECK(plan.rows[1].seed == 1);
  const config::Json& config = plan.runs[plan.rows[6].run].config;
  CHECK(config["compression"]["int8"]["weights"]["bits"] == 4);
  CHECK(config["compression"]["prune"]["sparsity"] == 0.9);
  CHECK(config["seed"] == 3);
  CHECK(config["name"] == plan.runs[plan.rows[6].run].hash);
}

TEST_CASE("an experiment without axes is the base config with its seeds") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"("seeds": [1, 2, 3])");
  CHECK(labels(plan) == std::vector<std::string>{"the base config"});
  CHECK(plan.rows.size() == 3);
  CHECK(plan.experiment.name == "question");
}

TEST_CASE("runs are ordered by seed, so that an early stop leaves whole tables") {
  const ExperimentFiles files;
  const Plan plan = files.plan(axes(kBits) + R"(, "seeds": [2, 1])");
  std::vector<int> seeds;
  for (const PlannedRun& run : plan.runs) seeds.push_back(run.config["seed"]);
  CHECK(seeds == std::vector<int>{1, 1, 1, 2, 2, 2});  // two cells and plain training
}

TEST_CASE("a run that an axis does not touch is run once and shown in every cell") {
  const ExperimentFiles files;
  const Plan plan = files.plan(axes(kBits, R"("quantize": [
      {"label": "yes", "set": {}},
      {"label": "no", "set": {"phases": [{"name": "dense", "epochs": 2}]}}])") +
                               R"(, "seeds": [1])");
  CHECK(plan.rows.size() == 4);
  CHECK(plan.runs.size() == 3 + 1);  // and plain training beside what compresses
  CHECK(plan.rows[1].run == plan.rows[3].run);
  CHECK(plan.runs[plan.rows[1].run].config["compression"].empty());
}

TEST_CASE("the hash knows what changes a result and nothing else") {
  const ExperimentFiles files;
  const auto hash = [&](const std::vector<std::string>& sets, bool smoke = false) {
    return make_plan(files.experiment(R"("seeds": [1])"), sets, smoke).runs[0].hash;
  };
  CHECK(hash({}).size() == 16);
  CHECK(hash({"name=other"}) == hash({}));
  CHECK(hash({"compression.unused.kind=quantize"}) == hash({}));
  CHECK(hash({"dataset.batch_size=64"}) == hash({}));  // the default, written out
  std::set<std::string> different = {hash({}), hash({}, true)};
  for (const char* set : {"dataset.batch_size=32", "phases[0].epochs=3", "report.keep=last",
                          "optimizer.learning_rate=0.01", "compression.int8.weights.bits=4"})
    different.insert(hash({set}));
  CHECK(different.size() == 7);
}

TEST_CASE("excluded cells are left out, by axis or by path, with one value or several") {
  const ExperimentFiles files;
  const std::string grid = axes(kBits, kSparsity) + R"(, "exclude": )";
  CHECK(files.plan(grid + R"([{"compression.int8.weights.bits": 4, "pruned": "most"}])")
            .cells.size() == 3);
  CHECK(files.plan(grid + R"([{"pruned": ["half", "most"], "compression.int8.weights.bits": 8}])")
            .cells.size() == 2);
  CHECK(files.plan(grid + R"([{"compression.prune.sparsity": 0.9}])").cells.size() == 2);
}

TEST_CASE("a condition that holds nowhere or names nothing is an error where it stands") {
  const ExperimentFiles files;
  const std::string grid = axes(kBits, kSparsity) + R"(, "exclude": )";
  CHECK(files.refused(R"("exclude": [{"pruned": "half"}])") ==
        "question.json:1:35: exclude[0]: 'pruned' is neither an axis nor a key that the base or "
        "an axis gives");
  CHECK(files.refused(axes(kSparsity) + R"(, "exclude": [{"pruned": "hal"}])")
            .ends_with("exclude[0]: expected a point of the axis 'pruned' (half, most), got "
                       "\"hal\" (did you mean "
                       "'half'?)"));
  CHECK(files.refused(grid + R"([{"optimizer.learning_rat": 1}])").find("neither an axis") !=
        std::string::npos);
  CHECK(files.refused(grid + R"([{"compression.prune.sparsity": 0.7}])")
            .ends_with("exclude[0]: it holds in no cell"));
  CHECK(files.refused(grid + R"([{"pruned": ["half", "most"]}])") ==
        "exclude: every cell is excluded");
}

TEST_CASE("a point with a condition is in the cells for which it holds") {
  const ExperimentFiles files;
  const std::string bits = R"("compression.int8.weights.bits": [8, 4], "pruned": [
      {"label": "no", "set": {}},
      {"label": "half", "set": {"compression.prune.sparsity": 0.5}, "where": )";
  const auto grid = [&](const std::string& where) { return "\"axes\": {" + bits + where + "}]}"; };
  const Plan plan = files.plan(grid(R"({"compression.int8.weights.bits": [4]})"));
  CHECK(labels(plan) == std::vector<std::string>{"compression.int8.weights.bits=8 pruned=no",
                                                 "compression.int8.weights.bits=4 pruned=no",
                                                 "compression.int8.weights.bits=4 pruned=half"});
  CHECK(config::write(plan.experiment)["axes"]["pruned"][1]["where"].size() == 1);
  CHECK(files.refused(grid(R"({"compression.int8.weights.bits": 5})"))
            .find("axes.pruned[1].where: expected a point of the axis") != std::string::npos);
  CHECK(files.refused(grid(R"({"dataset.validation": 7})")).find("axes.pruned[1].where: ") !=
        std::string::npos);
}

TEST_CASE("more seeds are added to the cells that they name") {
  const ExperimentFiles files;
  const Plan plan = files.plan(axes(kSparsity) + R"(, "seeds": [1, 2],
      "more_seeds": [{"where": {"pruned": "most"}, "seeds": [2, 3, 4]}])");
  CHECK(plan.cells[0].seeds == std::vector<std::uint64_t>{1, 2});
  CHECK(plan.cells[1].seeds == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("an axis wins over --set, and --set over the experiment's own changes") {
  const ExperimentFiles files;
  const std::string keys = R"("set": {"optimizer.learning_rate": 0.5, "dataset.batch_size": 32},
      "axes": {"dataset.validation": [100, 200]}, "seeds": [1])";
  const Plan plan = files.plan(keys, {"dataset.batch_size=16", "dataset.validation=5"});
  const config::Json& config = plan.runs[0].config;
  CHECK(config["optimizer"]["learning_rate"] == 0.5);
  CHECK(config["dataset"]["batch_size"] == 16);
  CHECK(config["dataset"]["validation"] == 100.0);
}

TEST_CASE("mistakes along an axis are reported at their place, with the cell") {
  const ExperimentFiles files;
  CHECK(files.refused(R"("axes": {"optimizer.learning_rat": [1]})") ==
        "question.json:1:59: optimizer.learning_rat: unknown key (did you mean 'learning_rate'?)\n"
        "  in the cell optimizer.learning_rat=1");
  CHECK(files.refused(R"("axes": {"dataset.batch_size": [1, "x"]})").find("question.json:1:") == 0);
  CHECK(files.refused(R"("axes": {"a..b": [1]})").find("expected a path like") !=
        std::string::npos);
}

TEST_CASE("axes, labels and seeds are checked before anything is planned") {
  const ExperimentFiles files;
  const auto has = [&](const std::string& keys, const std::string& part) {
    const std::string message = files.refused(keys);
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  };
  has(R"("axes": {"seed": [1, 2]})", "'seed' is a column of results.csv already; give seeds as");
  has(R"("axes": {"dataset": [{"kind": "digits"}]})", "'dataset' is a column of results.csv");
  has(R"("axes": {"sparsity": [0.5]})", "call it 'target sparsity'");
  has(R"("set": {"seed": 1})", "seeds belong in 'seeds'");
  has(R"("axes": {"dataset.batch_size": []})", "expected at least one value");
  has(R"("axes": {"dataset.batch_size": [8, 8]})", "'8' is there twice");
  has(R"("axes": {"x": [{"label": "a", "set": {}}, 3]})", "expected {\"label\"");
  has(R"("axes": {"x": [{"label": "a", "set": {}, "sets": {}}]})", "and no other");
  has(R"("seeds": [])", "expected at least one seed");
  has(R"("seeds": [1, 1])", "expected different seeds");
  has(R"("report": {"figures": ["accuracy"]})", "accuracy.integer");
  has(R"("axis": {})", "did you mean 'axes'?");
  std::string many = "\"axes\": {";
  for (int i = 0; i < 20; ++i) {
    many += (i > 0 ? ", \"" : "\"") + std::to_string(i) +
            R"(": [{"label": "a", "set": {}}, {"label": "b", "set": {}}])";
  }
  has(many + "}", "more than 100000 combinations");
}

TEST_CASE("every shipped experiment can be planned") {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PARE_SOURCE_DIR "/configs/experiments")) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    CAPTURE(entry.path().string());
    const Plan plan =
        make_plan(load_experiment_config(entry.path().filename().string()), {}, false);
    CHECK(plan.rows.size() > 1);
    std::size_t dense = 0;
    for (const DenseRow& row : plan.dense) dense += row.runs.size();
    CHECK(plan.runs.size() <= plan.rows.size() + dense);
  }
  CHECK(count >= 1);
}

TEST_CASE("several bases are an axis of their own, found by a pattern") {
  const ExperimentFiles files;
  files.write("some_a.json", R"({"_base_": "base.json", "phases": [{"name": "a", "epochs": 1}]})");
  files.write("some_b.json", R"({"_base_": "base.json", "phases": [{"name": "b", "epochs": 3}]})");
  files.write("several.json", R"({"base": ["base.json", "some_*.json"], "axes": {)" +
                                  std::string(kBits) + R"(}, "seeds": [1]})");
  const Plan plan = make_plan(load_experiment_config(files.file("several.json")), {}, false);
  CHECK(labels(plan).size() == 6);
  CHECK(labels(plan)[0] == "base=base compression.int8.weights.bits=8");
  CHECK(labels(plan)[5] == "base=some_b compression.int8.weights.bits=4");
  CHECK(plan.runs[plan.rows[5].run].config["phases"][0]["name"] == "b");
  CHECK(plan.rows[2].run == plan.rows[3].run);  // some_a applies no int8: one run for both
  files.write("none.json", R"({"base": ["no_*.json"], "seeds": [1]})");
  CHECK_THROWS_AS(load_experiment_config(files.file("none.json")), ConfigError);
}
