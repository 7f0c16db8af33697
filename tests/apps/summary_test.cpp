#include "apps/lib/summary.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/lib/finish.h"
#include "apps/lib/plan_memory.h"
#include "apps/lib/progress.h"
#include "apps/lib/result.h"
#include "apps/lib/trainer.h"
#include "framework/tensor/storage.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

TEST_CASE("durations read as clocks") {
  CHECK(clock_text(0.4) == "0:00");
  CHECK(clock_text(75.4) == "1:15");
  CHECK(clock_text(3599.9) == "1:00:00");
  CHECK(clock_text(4000) == "1:06:40");
}

TEST_CASE("the plan shows data, network, and what every phase does") {
  const std::string text = plan(tiny_config({"phases[2].release=[\"prune\"]"}), tiny_digits());
  CAPTURE(text);
  CHECK(contains(text,
                 "tiny: digits (drawn for tests): 256 images to train, 64 to validate, 96 to test; "
                 "batches of 32"));
  CHECK(contains(text, "conv          conv2d      12 x 12 x 8         200  28,800"));
  CHECK(contains(text, "dense                  1        8  0.01"));
  CHECK(contains(text, "+prune"));
  CHECK(contains(text, "% zero"));
  CHECK(contains(text, "0.002 > 0.0001            -prune +int8"));
  CHECK(contains(text, "40 updates on 1,280 images"));
  CHECK(contains(text, "MB for a step"));
}

TEST_CASE("the plan says how often a learning rate begins anew") {
  const RunConfig run = tiny_config(
      {R"(compression.prune={"_delete_": true, "kind": "prune", "rewind": {"rounds": 3}})",
       R"(phases[1].optimizer.learning_rate={"kind": "cosine", "from": 0.01, "to": 0.001})"});
  const std::string text = plan(run, tiny_digits());
  CAPTURE(text);
  CHECK(contains(text, "16  3 x 0.01 > 0.001          +prune"));
}

TEST_CASE("the memory of the plan is the memory of the run") {
  const RunConfig run = tiny_config({});
  const TrainingMemory planned = training_memory(run, tiny_digits());
  CHECK(planned.images == 28 * 28 * (256 + 64 + 96));
  Trainer trainer(run, tiny_digits(), {});
  const std::int64_t before = memory_statistics().step_bytes_now;
  reset_memory_peak();
  trainer.run();
  const std::int64_t used = memory_statistics().step_bytes_peak - before;
  CAPTURE(used);
  CHECK(planned.step >= used * 9 / 10);
  CHECK(planned.step <= used * 11 / 10);
  const RunConfig twice = tiny_config({"dataset.batch_size=128"});
  CHECK(training_memory(twice, tiny_digits()).step > planned.step);
  const RunConfig averaged = tiny_config({"optimizer.ema=0.9"});
  CHECK(training_memory(averaged, tiny_digits()).state > planned.state);
}

TEST_CASE("the summary shows three accuracies, zeros, bytes, and the command to try next") {
  const RunConfig run = tiny_config({});
  Trainer trainer(run, tiny_digits(), {});
  trainer.run();
  trainer.restore_kept();
  const Outcome outcome = finish(trainer.network(), run, tiny_digits(), nullptr);
  const auto layers = layer_statistics(trainer.network(), tiny_digits().test, trainer.values());
  config::Json result = result_json(run, tiny_digits(), trainer, outcome, layers, 61);
  result["accuracy"] = {{"float", 0.9946}, {"fake_quant", 0.9937}, {"integer", 0.99365}};
  const std::string text = summary(result, "runs/tiny", "");
  CAPTURE(text);
  for (const char* part :
       {"99.46 %", "99.37 %", "0 of ", "75.00 % of them by masks", "times smaller than",
        "1:01 in all", "./pare infer runs/tiny/model.pare"}) {
    CHECK(contains(text, part));
  }
  result["accuracy"]["integer"] = nullptr;
  result["accuracy"]["float"] = nullptr;
  result["integer_refused"] = "because";
  CHECK(contains(summary(result, "runs/tiny", ""), "no phase trained the dense network"));
  CHECK(contains(summary(result, "runs/tiny", ""), "because"));
}
