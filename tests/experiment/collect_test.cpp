// From the folders of runs to tables.
#include "apps/lib/experiment/collect.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/lib/experiment/markdown.h"
#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

constexpr const char* kAxes = R"("axes": {"dataset.batch_size": [8, 16]}, "seeds": [1, 2])";

// What `train` would have written.
void finish(const ExperimentFiles& files, const std::string& hash, double accuracy) {
  const config::Json result = {{"accuracy", {{"float", accuracy}, {"integer", accuracy}}},
                               {"dataset", {{"kind", "digits"}, {"requested", "digits"}}},
                               {"sparsity", 0.5},
                               {"bytes", {{"model", 1234}}},
                               {"seconds", 1.5},
                               {"latency_us", 20}};
  files.write("out/runs/" + hash + "/result.json", result.dump());
}

}  // namespace

TEST_CASE("results have one row a finished run, in the order of the plan") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kAxes);
  const ExperimentFolder folder(files.file("out"));
  finish(files, plan.runs[plan.rows[3].run].hash, 0.75);
  finish(files, plan.runs[plan.rows[0].run].hash, 0.5);
  const Collected collected = collect(plan, folder);
  CHECK(collected.finished() == 2);
  const auto dense = [&](std::size_t row) { return plan.runs[*plan.rows[row].dense].hash; };
  CHECK(results_csv(plan, collected) ==
        "run,dataset.batch_size,seed,dense,dataset,accuracy.float,accuracy.fake_quant,"
        "accuracy.integer,sparsity,bytes.model,macs,effective_macs,bops\n" +
            plan.runs[plan.rows[0].run].hash + ",8,1," + dense(0) +
            ",digits,0.5,,0.5,0.5,1234,,,\n" + plan.runs[plan.rows[3].run].hash + ",16,2," +
            dense(3) + ",digits,0.75,,0.75,0.5,1234,,,\n");
  CHECK(timing_csv(plan, collected).ends_with(",16,2," + dense(3) + ",1.5,20\n"));
}

TEST_CASE("fields that hold commas, quotes or lines are quoted") {
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"x\"") == "\"say \"\"x\"\"\"");
  CHECK(csv_field("two\nlines") == "\"two\nlines\"");
}

TEST_CASE("a damaged result counts as not done") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kAxes);
  files.write("out/runs/" + plan.runs[0].hash + "/result.json", "{\"accuracy\":");
  files.write("out/runs/" + plan.runs[1].hash + "/result.json", "[]");
  CHECK(collect(plan, ExperimentFolder(files.file("out"))).finished() == 0);
}

TEST_CASE(
    "a failure is remembered with its last words, and forgotten when the run is tried again") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  folder.prepare("abc", {{"seed", 1}});
  files.write("out/runs/abc/stderr.txt", "warning: something\nerror: the loss is \xff nan\n");
  const Failure failure = folder.failure_of("abc", 4);
  CHECK(failure.message == "error: the loss is ? nan");
  folder.record("abc", failure);
  CHECK(folder.failure("abc")->code == 4);
  CHECK(folder.failure("abc")->message == failure.message);
  folder.prepare("abc", {{"seed", 1}});
  CHECK_FALSE(folder.failure("abc"));
}

TEST_CASE("the table for people has means, deviations and intervals, and says what is missing") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kAxes);
  const ExperimentFolder folder(files.file("out"));
  finish(files, plan.runs[plan.rows[0].run].hash, 0.5);
  finish(files, plan.runs[plan.rows[1].run].hash, 0.6);
  finish(files, plan.runs[plan.rows[2].run].hash, 0.7);
  folder.prepare(plan.runs[plan.rows[3].run].hash, {});
  folder.record(plan.runs[plan.rows[3].run].hash, {4, "error: a | b"});
  const std::string text = results_markdown(plan, collect(plan, folder));
  const auto has = [&](const std::string& part) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  };
  has("3 of 8 runs are finished");  // with plain training at two batch sizes
  has("| dataset.batch_size | seeds | accuracy.integer (%) | 95 % interval | against dense | "
      "accuracy.float (%) |");
  has("| 8 | 2 | 55.00 ± 7.07 | -8.53 to 118.53 | - | 55.00 ± 7.07 | 50.00 | 1234 |");
  has("| 16 | 1 of 2 | 70.00 | - | - | 70.00 | 50.00 | 1234 |");
  has("exit code 4): error: a \\| b");
}
