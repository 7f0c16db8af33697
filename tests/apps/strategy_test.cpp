// Orders of compressing as values: what each of them expands into, and what `matched` promises.
#include "apps/lib/strategy.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>

#include "apps/lib/finish.h"
#include "apps/lib/phases.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

// Whole and fractional epochs, and a rate that is another one at every update.
constexpr const char* kStrategy = R"(strategy={"kind": "prune_then_quantize",
    "epochs": {"dense": 1.5, "stage": 1.125, "recover": 0.75},
    "optimizer": {"dense": {"learning_rate": {"kind": "one_cycle", "from": 0.01, "to": 0, "warmup": 0.3}},
                  "stage": {"learning_rate": {"kind": "polynomial", "from": 0.004, "to": 0.0001}},
                  "recover": {"learning_rate": 0.0002}}})";

RunConfig strategy_run(const std::string& kind, const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = {kStrategy, "strategy.kind=" + kind};
  sets.insert(sets.end(), more.begin(), more.end());
  return tiny_config(sets);
}

std::vector<std::string> kinds() { return strategy_kinds(); }

// The same with a teacher.
RunConfig taught(const std::string& kind, const std::string& when,
                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = {
      R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}})", "strategy.distill=kd",
      "strategy.distill_when=" + when};
  sets.insert(sets.end(), more.begin(), more.end());
  return strategy_run(kind, sets);
}

// The learning rate of every update of the run.
std::vector<double> rates_of(const RunConfig& run, std::int64_t images) {
  const std::vector<ScheduleSpan> spans = phase_spans(run, images);
  const std::vector<RateCourse> courses = rate_courses(run, spans);
  std::vector<double> rates;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    for (std::int64_t step = 0; step < spans[i].steps; ++step) {
      rates.push_back(courses[i].at(run.phases[i].optimizer.learning_rate, step));
    }
  }
  return rates;
}

// "prune 9 +prune, quantize 9 +int8": the phases in short.
std::string phases_text(const RunConfig& run, bool named) {
  const std::vector<ScheduleSpan> spans = phase_spans(run, 256);
  std::string text;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const PhaseConfig& phase = run.phases[i];
    text += fmt::format("{}{}{}{}", i > 0 ? ", " : "", named ? phase.name + " " : "",
                        spans[i].steps, phase.continues ? "c" : "");
    for (const std::string& name : phase.release) text += " -" + name;
    for (const std::string& name : phase.apply) text += " +" + name;
  }
  return text;
}

}  // namespace

TEST_CASE("every strategy expands into phases of its own, with equal updates and rates") {
  std::map<std::string, std::string> expansions;
  const std::vector<double> rates = rates_of(strategy_run("dense"), 256);
  REQUIRE(rates.size() == 12 + 9 + 9 + 6);
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    const RunConfig run = strategy_run(kind);
    const std::vector<double> own = rates_of(run, 256);
    double sum = 0;
    for (const double rate : own) sum += rate;
    MESSAGE(fmt::format("{:<21} {} updates, rates sum to {:.5f}: {}", kind, own.size(), sum,
                        phases_text(run, true)));
    CHECK(own == rates);  // of every update, so the sums are equal too
    // 287 images: epochs of 8 updates with images left over; 250: epochs of 7, 97: of 3.
    for (const std::int64_t images : {287, 250, 97})
      CHECK(rates_of(run, images) == rates_of(strategy_run("dense"), images));
    const auto inserted = expansions.emplace(phases_text(run, false), kind);
    INFO("the same as ", inserted.first->second);
    CHECK(inserted.second);
  }
}

TEST_CASE("as_is leaves out what is only there to match") {
  std::set<std::string> expansions;
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    const RunConfig run = strategy_run(kind, {"strategy.budget=as_is"});
    bool compressed = false;
    for (const PhaseConfig& phase : run.phases) {
      compressed = compressed || !phase.apply.empty();
      if (phase.apply.empty() && phase.name != "dense") CHECK(phase.name == "recover");
    }
    CHECK(compressed == (kind != "dense"));
    CHECK(expansions.insert(phases_text(run, false)).second);
  }
  CHECK(phases_text(strategy_run("dense", {"strategy.budget=as_is"}), true) == "dense 12");
  CHECK(phases_text(strategy_run("prune_only", {"strategy.budget=as_is"}), true) ==
        "dense 12, prune 9 +prune, recover 6");
}

TEST_CASE("distillation first, throughout or last gives every strategy phases of its own") {
  std::map<std::string, std::string> expansions;
  const std::vector<double> rates = rates_of(strategy_run("dense"), 256);
  for (const std::string& kind : kinds()) {
    expansions.emplace(phases_text(strategy_run(kind), false), kind);
    for (const std::string when : {"first", "throughout", "last"}) {
      CAPTURE(kind);
      CAPTURE(when);
      const RunConfig run = taught(kind, when);
      MESSAGE(fmt::format("{:<21} {:<10} {}", kind, when, phases_text(run, true)));
      CHECK(rates_of(run, 256) == rates);
      CHECK(expansions.emplace(phases_text(run, false), kind + " " + when).second);
    }
  }
  CHECK(expansions.size() == 4 * kinds().size());
}

TEST_CASE("as_is with distillation is of its own, or refused where the part is missing") {
  std::map<std::string, std::string> expansions;
  int refused = 0;
  for (const std::string& kind : kinds()) {
    for (const std::string when : {"first", "throughout", "last"}) {
      CAPTURE(kind);
      CAPTURE(when);
      try {
        const RunConfig run = taught(kind, when, {"strategy.budget=as_is"});
        CHECK(expansions.emplace(phases_text(run, false), kind + " " + when).second);
      } catch (const ConfigError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 0);
  CHECK(refused + std::ssize(expansions) == 3 * std::ssize(kinds()));
}

TEST_CASE("where distillation is on") {
  const auto text = [](const std::string& kind, const std::string& when) {
    return phases_text(taught(kind, when), true);
  };
  CHECK(text("prune_then_quantize", "first") ==
        "dense 12, prune 9 +prune +kd, quantize 9 -kd +int8, recover 6");
  CHECK(text("prune_then_quantize", "throughout") ==
        "dense 12, prune 9 +prune +kd, quantize 9 +int8, recover 6");
  CHECK(text("prune_then_quantize", "last") ==
        "dense 12, prune 9 +prune, quantize 9 +int8, recover 6 +kd");
  CHECK(text("alternating", "first") ==  // both halves of the stage
        "dense 12, prune_1 5 +prune_1 +kd, quantize_1 4c +int8, prune_2 5 -int8 -prune_1 -kd "
        "+prune_2, quantize_2 4c +int8, recover 6");
  CHECK(text("prune_then_ptq", "last") ==
        "dense 12, dense_2 9, prune 9 +prune, recover 6 +kd, calibrate 0 +int8");
  CHECK(text("dense", "first") == "dense 12, dense_2 9 +kd, dense_3 9 -kd, dense_4 6");
  // The teacher is the first part, whatever its name.
  const RunConfig run = taught("gradual_in_qat", "last");
  CHECK(std::get<DistillConfig>(run.method("kd").options).teacher.phase == "quantize");
  const auto refused = [](const std::string& kind, const std::string& when,
                          const std::string& set) {
    return error_of([&] { taught(kind, when, {set}); });
  };
  CHECK(contains(refused("dense", "first", "strategy.budget=as_is"), "no stage to distill in"));
  CHECK(contains(refused("joint", "last", "strategy.epochs.recover=0"), "recover' above 0"));
  CHECK(contains(refused("joint", "first", "strategy.distill=dk"), "did you mean 'kd'?"));
  CHECK(contains(refused("joint", "first", "strategy.distill=int8"), "of kind distill"));
}

TEST_CASE("strategies with a teacher train, learn something else and end at their compression") {
  for (const std::string kind :
       {"dense", "joint", "gradual_in_qat", "ptq_then_prune", "structured_first", "alternating"}) {
    std::set<std::vector<float>> ends;
    for (const std::string when : {"", "first", "throughout", "last"}) {
      CAPTURE(kind);
      CAPTURE(when);
      const std::vector<std::string> layer = {"compression.prune.scope=layer"};
      TinyRun tiny(when.empty() ? strategy_run(kind, layer) : taught(kind, when, layer));
      tiny.train();
      CHECK(tiny.trainer().state().rows.back().at_target);
      ends.insert(values_of(parameter(tiny.trainer().network(), "last.weight").latent()));
    }
    CHECK(ends.size() == 4);
  }
}

TEST_CASE("strategies are what their names say") {
  const auto text = [](const std::string& kind) { return phases_text(strategy_run(kind), true); };
  CHECK(text("prune_then_quantize") == "dense 12, prune 9 +prune, quantize 9 +int8, recover 6");
  CHECK(text("quantize_then_prune") == "dense 12, quantize 9 +int8, prune 9 +prune, recover 6");
  CHECK(text("joint") == "dense 12, joint 9 +int8 +prune, train 9, recover 6");
  CHECK(text("gradual_in_qat") == "quantize 12 +int8, prune 9 +prune, train 9, recover 6");
  CHECK(text("alternating") ==
        "dense 12, prune_1 5 +prune_1, quantize_1 4c +int8, prune_2 5 -int8 -prune_1 +prune_2, "
        "quantize_2 4c +int8, recover 6");
  CHECK(text("prune_quantize_prune") ==
        "dense 12, prune_1 5 +prune_1, quantize 4c +int8, prune_2 9 -prune_1 +prune_2, recover 6");
  CHECK(text("structured_first") ==
        "dense 12, structures 5 +prune_structures, shrink 4c +prune_shrink, prune 5 "
        "-prune_structures +prune_rest, quantize 4c +int8, recover 6");
  CHECK(text("prune_then_ptq") ==
        "dense 12, dense_2 9, prune 9 +prune, recover 6, calibrate 0 +int8");
  CHECK(text("ptq_then_prune") ==
        "dense 12, dense_2 9, calibrate 0 +int8, prune 9 +prune, recover 6");
}

TEST_CASE("rungs leave the geometric mean and end at the target") {
  const RunConfig run = strategy_run("alternating");
  const auto sparsity = [&](const std::string& name) {
    return std::get<PruneConfig>(run.method(name).options).sparsity;
  };
  // 75 % are to go: half of the weights, and half of those that are left.
  CHECK(sparsity("prune_1").to == doctest::Approx(0.5));
  CHECK(sparsity("prune_2").from == doctest::Approx(0.5));
  CHECK(sparsity("prune_2").to == 0.75);
  const RunConfig constant = strategy_run("alternating", {"compression.prune.sparsity=0.96"});
  CHECK(std::get<PruneConfig>(constant.method("prune_1").options).sparsity.target() ==
        doctest::Approx(0.8));
  CHECK(std::get<PruneConfig>(constant.method("prune_2").options).sparsity.target() == 0.96);
}

TEST_CASE("every strategy trains, ends at its compression and becomes integers") {
  const std::int64_t dense_parameters =
      build_network(tiny_config({}).model, tiny_digits().train.shape, 10).parameter_count();
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    TinyRun tiny(strategy_run(kind, {"compression.prune.scope=layer"}));
    tiny.train();
    CHECK(tiny.trainer().state().rows.back().at_target);
    const bool prunes = kind.find("prune") != std::string::npos || kind == "joint" ||
                        kind == "gradual_in_qat" || kind == "alternating";
    const double masked = masked_fraction(tiny.trainer().network());
    if (kind == "structured_first") {
      CHECK(masked >= 0.5);  // of what the filters left
      CHECK(tiny.trainer().network().parameter_count() < dense_parameters);
    } else {
      CHECK((prunes ? masked >= 0.75 && masked < 0.76 : masked == 0));
    }
    const Outcome outcome =
        finish(tiny.trainer().network(), strategy_run(kind), tiny_digits(), nullptr);
    CHECK(outcome.integer->verification.differing == 0);
    CHECK(outcome.integer->post_training == (kind == "dense" || kind == "prune_only"));
  }
}

TEST_CASE("what is printed are the phases, and they read back as the same run") {
  const RunConfig run = strategy_run("alternating");
  const config::Json json = config::write(run);
  CHECK_FALSE(json.contains("strategy"));
  const RunConfig again = config::read<RunConfig>(config::load_text(json.dump(), "written"));
  CHECK(config::write(again) == json);
}

TEST_CASE("epochs of 0 leave a part out, and what it applies comes with the next one") {
  CHECK(phases_text(strategy_run("gradual_in_qat", {"strategy.epochs.dense=0"}), true) ==
        "prune 9 +int8 +prune, train 9, recover 6");
  CHECK(phases_text(strategy_run("prune_then_quantize", {"strategy.epochs.recover=0"}), true) ==
        "dense 12, prune 9 +prune, quantize 9 +int8");
}

TEST_CASE("between phases and a strategy the one given last wins and says so") {
  const auto sets = [](const std::vector<std::string>& list) { return tiny_config(list); };
  const RunConfig later = sets({kStrategy});
  CHECK(later.phases[1].epochs == 1.125);
  REQUIRE(later.remarks.size() == 1);
  CHECK(contains(later.remarks[0], "the strategy replaces the phases"));
  const RunConfig phases = sets({kStrategy, R"(phases=[{"name": "only", "epochs": 1}])"});
  CHECK(phases.phases.size() == 1);
  CHECK_FALSE(phases.strategy);
  CHECK(contains(phases.remarks[0], "the phases replace the strategy"));
}

TEST_CASE("a strategy that does not fit is refused with the reason") {
  const auto refused = [](const std::string& kind, const std::vector<std::string>& more) {
    return error_of([&] { strategy_run(kind, more); });
  };
  CHECK(contains(refused("structured_first",
                         {"compression.prune.granularity=filter", "compression.prune.scope=layer"}),
                 "expected 'prune' to have granularity element"));
  CHECK(contains(refused("joint", {"strategy.prune=prun"}), "did you mean 'prune'?"));
  CHECK(contains(refused("joint", {"strategy.prune=int8"}), "of kind prune"));
  CHECK(contains(refused("joint", {R"(compression.other={"kind": "quantize"})"}),
                 "needs the name of a method of kind quantize from 'compression' (int8, other)"));
  CHECK(contains(refused("jont", {}), "did you mean 'joint'?"));
  CHECK(contains(
      refused("alternating",
              {R"(compression.prune={"_delete_": true, "kind": "prune", "threshold": 0.1})"}),
      "expected a method with 'sparsity'"));
  CHECK(
      contains(refused("alternating", {R"(compression.prune_2={"kind": "prune", "sparsity": 0.1})",
                                       "strategy.prune=prune"}),
               "makes a method of this name itself"));
  CHECK(refused("dense", {"compression={\"_delete_\": true}"}) == "(no error)");
  const std::string both =
      R"({"dataset": {"kind": "digits"}, "model": [{"kind": "flatten"}, {"kind": "dense", "units": 10}],
    "strategy": {"kind": "dense"}, "phases": [{"name": "a", "epochs": 1}]})";
  CHECK(contains(error_of([&] { config::read<RunConfig>(config::load_text(both, "both")); }),
                 "take one of them out"));
}
