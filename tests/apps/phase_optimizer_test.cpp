#include "apps/lib/phase_optimizer.h"

#include "framework/config/config.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

std::vector<float> weights_after(const RunConfig& run) {
  TinyRun tiny(run);
  tiny.train();
  return values_of(parameter(tiny.trainer().network(), "last.weight").latent());
}

// The tiny run, all of it with one optimizer that goes on through the phases.
constexpr const char* kPruneGoesOn =
    R"(phases[1]={"_delete_": true, "name": "p", "epochs": 2, "apply": ["prune"], "continue": true})";
constexpr const char* kQuantizeGoesOn =
    R"(phases[2]={"_delete_": true, "name": "q", "epochs": 2, "apply": ["int8"], "continue": true})";

RunConfig continuing(std::initializer_list<std::string> more) {
  std::vector<std::string> sets = {
      kPruneGoesOn, kQuantizeGoesOn,
      R"(optimizer.learning_rate={"kind": "cosine", "from": 0.01, "to": 0.0001})"};
  sets.insert(sets.end(), more.begin(), more.end());
  return tiny_config(sets);
}

}  // namespace

TEST_CASE("two phases of which the second continues are one phase cut in two") {
  for (const std::string ema : {"null", "0.9"}) {
    const std::string one =
        R"(phases=[{"name": "whole", "epochs": 3,
            "optimizer": {"learning_rate": {"kind": "one_cycle", "from": 0.01, "to": 0.0001, "warmup": 0.4},
                          "ema": )" +
        ema + "}}]";
    const std::string two =
        R"(phases=[{"name": "a", "epochs": 1,
            "optimizer": {"learning_rate": {"kind": "one_cycle", "from": 0.01, "to": 0.0001, "warmup": 0.4},
                          "ema": )" +
        ema + R"(}}, {"name": "b", "epochs": 2, "continue": true}])";
    std::string fresh = two;
    fresh.replace(fresh.find(R"("continue": true)"), 16, R"("continue": false)");
    const auto whole = weights_after(tiny_config({one, "report.keep=last"}));
    CHECK(weights_after(tiny_config({two, "report.keep=last"})) == whole);
    CHECK(weights_after(tiny_config({fresh, "report.keep=last"})) != whole);
  }
}

TEST_CASE("a phase that continues has no optimizer of its own, and the first one cannot") {
  CHECK(contains(error_of([] { tiny_config({"phases[1].continue=true"}); }),
                 "phases[1].optimizer: a phase that continues has the optimizer of the phase"));
  CHECK(contains(error_of([] { tiny_config({"phases[0].continue=true"}); }),
                 "phases[0].continue: there is no phase before it that could go on"));
  const RunConfig run = continuing({"phases[0].optimizer.weight_decay=0.5"});
  CHECK(run.phases[2].optimizer.regularization.weight_decay == 0.5);
  const config::Json json = config::write(run);
  CHECK_FALSE(json["phases"][1].contains("optimizer"));
  CHECK(config::write(config::read<RunConfig>(config::load_text(json.dump(), "printed"))) == json);
}

TEST_CASE("the course of a learning rate spans the phases that continue") {
  const RunConfig run = continuing({});
  const auto spans = phase_spans(run, tiny_digits().train.count());
  const auto courses = rate_courses(run, spans);
  for (const RateCourse& course : courses) CHECK(course.span.steps == 40);
  CHECK(courses[0].done == 0);
  CHECK(courses[1].done == 8);
  CHECK(courses[2].done == 24);
}

TEST_CASE("every optimizer, the average and a continued phase resume with the same bits") {
  const std::vector<std::vector<std::string>> cases = {
      {"optimizer.kind=adamw", "optimizer.weight_decay=0.01", "optimizer.l1=0.0001"},
      {"optimizer.kind=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true"},
      {"optimizer.kind=rmsprop", "optimizer.group_lasso=0.001", "optimizer.clip_norm=0.5"},
      {"optimizer.ema=0.9"},
      {R"(compression.int8.overrides=[{"match": "last", "weights": {"bits": 4}}])",
       "compression.int8.first_last_bits=6", "compression.int8.weights.observe=survivors"},
      {"optimizer.ema=0.9", kPruneGoesOn, kQuantizeGoesOn},
  };
  for (const auto& sets : cases) {
    const RunConfig run = tiny_config(sets);
    CAPTURE(sets[0]);
    const TinyRun::End whole = TinyRun(run).end();
    check_resumes(run, whole, {3, 8, 21, 24, 33});
  }
}

TEST_CASE("with ema the averages are validated, kept and lowered, and training goes on without") {
  // One phase, one update: the average after the first update is 2/11 of the start.
  const std::string phase = R"(phases=[{"name": "p", "steps": 1}])";
  const auto with = weights_after(tiny_config({phase, "optimizer.ema=0.99"}));
  const auto without = weights_after(tiny_config({phase}));
  TinyRun start(tiny_config({phase}));
  const auto before = values_of(parameter(start.trainer().network(), "last.weight").latent());
  for (std::size_t i = 0; i < with.size(); ++i) {
    CHECK(with[i] == doctest::Approx(before[i] * 2 / 11 + without[i] * 9 / 11));
  }
  // The checkpoint of a phase that is not over holds both.
  TinyRun stopped(tiny_config({"optimizer.ema=0.99"}), 5);
  CHECK_THROWS_AS(stopped.train(), Stopped);
  const Checkpoint checkpoint = load_checkpoint(stopped.last());
  const auto array = [&](const std::string& name) {
    for (const NamedArray& a : checkpoint.arrays) {
      if (a.name == name) return a.bytes;
    }
    FAIL("no array " << name);
    return std::vector<std::byte>();
  };
  CHECK(array("network/last.weight") != array("optimizer/average/last.weight"));
  CHECK(array("network/norm.mean") != array("optimizer/average/norm.mean"));
}

TEST_CASE("an averaged weight that is pruned is zero, on its grid, and verified") {
  TinyRun run(tiny_config({"optimizer.ema=0.9"}));
  run.train();
  const Outcome outcome =
      finish(run.trainer().network(), tiny_config({"optimizer.ema=0.9"}), tiny_digits(), nullptr);
  CHECK(outcome.integer->verification.differing == 0);
  std::int64_t zeros = 0, weights = 0;
  for (const auto& [name, group] : outcome.integer->final.weights) {
    for (const std::int8_t code : group.weights.codes) zeros += code == 0;
    weights += std::ssize(group.weights.codes);
  }
  CHECK(static_cast<double>(zeros) >= 0.75 * static_cast<double>(weights));
}
