// A run that branches from a beginning ends with the bits of one that trained it itself.
#include "apps/lib/branch.h"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

using Points = std::vector<std::size_t>;

// The end of `run` when its first phases were trained by another run.
TinyRun::End end_of_branch(const RunConfig& run, std::size_t phases) {
  TinyRun beginning(beginning_of(run, phases));
  beginning.train();
  const Checkpoint last = load_checkpoint(beginning.last());
  TinyRun branch(run);
  const Checkpoint state = branched(last, run, tiny_digits().hash, "last");
  Snapshot best;
  if (state.state.best) best = part_of(load_checkpoint(beginning.best()).arrays, kNetworkArrays);
  branch.trainer().resume(state, best, "last");
  return branch.end();
}

std::string refusal(const RunConfig& beginning, const RunConfig& run) {
  TinyRun tiny(beginning);
  tiny.train();
  return error_of([&] { branched(load_checkpoint(tiny.last()), run, tiny_digits().hash, "x"); });
}

}  // namespace

TEST_CASE("a branch ends with the bits of the whole run") {
  const std::vector<std::vector<std::string>> variants = {
      {},
      {"seed=5", "optimizer.ema=0.9"},
      {R"(phases[1]={"_delete_": true, "name": "more", "epochs": 1, "continue": true})",
       R"(phases[2]={"name": "both", "epochs": 2, "apply": ["prune", "int8"]})"},
      {R"(strategy={"kind": "alternating", "epochs": {"dense": 1.5, "stage": 1, "recover": 0.5}})"},
      {R"(strategy={"kind": "prune_only", "epochs": {"dense": 1, "stage": 1, "recover": 1}})"},
      {R"(strategy={"kind": "quantize_then_prune", "epochs": {"dense": 1, "stage": 1, "recover": 1}})",
       "optimizer.ema=0.9"},
      {R"(strategy={"kind": "prune_quantize_prune", "epochs": {"dense": 1, "stage": 1, "recover": 1}})",
       "composition=quantize_then_mask"},
      {R"(strategy={"kind": "prune_then_ptq", "epochs": {"dense": 1, "stage": 1, "recover": 1}})"},
      {R"(strategy={"kind": "ptq_then_prune", "epochs": {"dense": 1, "stage": 1, "recover": 1}})"},
      {R"(strategy={"kind": "gradual_in_qat", "epochs": {"dense": 1, "stage": 1, "recover": 1}})",
       "compression.int8.weights.quantizer=lsq"},
      {R"(strategy={"kind": "structured_first", "epochs": {"dense": 1, "stage": 1, "recover": 1}})"},
      {R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}})",
       R"(strategy={"kind": "joint", "epochs": {"dense": 1.5, "stage": 1, "recover": 0.5},
                    "distill": "kd", "distill_when": "throughout"})",
       "optimizer.ema=0.9"},
      {R"(strategy={"kind": "dense", "epochs": {"dense": 1.5, "stage": 1, "recover": 0.5}})"},
      {R"(strategy={"kind": "dense", "epochs": {"dense": 2}, "budget": "as_is"})"}};
  for (const auto& sets : variants) {
    CAPTURE(fmt::format("{}", fmt::join(sets, " ")));
    const RunConfig run = tiny_config(sets);
    const TinyRun::End whole = TinyRun(run).end();
    const std::vector<std::size_t> points = branch_points(run);
    CHECK(!points.empty());
    for (const std::size_t phases : points) {
      CAPTURE(phases);
      CHECK(end_of_branch(run, phases) == whole);
    }
  }
}

// With the best network of each on the way.
TEST_CASE("a chain of beginnings ends with the bits of the whole run") {
  const RunConfig run = tiny_config(
      {R"(strategy={"kind": "prune_only", "epochs": {"dense": 1, "stage": 1, "recover": 1}})"});
  REQUIRE(branch_points(run) == Points{1, 2, 3, 4});
  std::optional<Checkpoint> last;
  Snapshot best;
  for (const std::size_t phases : {1, 2, 3}) {
    const RunConfig beginning = beginning_of(run, phases);
    TinyRun tiny(beginning);
    if (last) tiny.trainer().resume(branched(*last, beginning, tiny_digits().hash, "x"), best, "x");
    tiny.train();
    last = load_checkpoint(tiny.last());
    best.clear();
    if (phases > 1) {
      REQUIRE(last->state.best);
      best = part_of(load_checkpoint(tiny.best()).arrays, kNetworkArrays);
    }
  }
  TinyRun end(run);
  end.trainer().resume(branched(*last, run, tiny_digits().hash, "x"), best, "x");
  CHECK(end.end() == TinyRun(run).end());
}

TEST_CASE("a beginning may branch from a shorter one") {
  const RunConfig run = tiny_config(
      {R"(strategy={"kind": "prune_quantize_prune", "epochs": {"dense": 1, "stage": 2, "recover": 1}})"});
  const std::vector<std::size_t> points = branch_points(run);
  REQUIRE(points.size() >= 2);
  const RunConfig middle = beginning_of(run, points[1]);
  TinyRun first(beginning_of(run, points[0])), second(middle), last(run);
  first.train();
  second.trainer().resume(
      branched(load_checkpoint(first.last()), middle, tiny_digits().hash, "first"), {}, "first");
  second.train();
  const Checkpoint state = branched(load_checkpoint(second.last()), run, tiny_digits().hash, "x");
  CHECK_FALSE(state.state.best);
  last.trainer().resume(state, {}, "second");
  CHECK(last.end() == TinyRun(run).end());
}

TEST_CASE("a beginning has the networks that later phases learn from") {
  const std::vector<std::string> sets = {
      R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}})",
      R"(phases[1]={"_delete_": true, "name": "more", "epochs": 1, "continue": true})",
      R"(phases[2]={"name": "learn", "epochs": 1, "apply": ["int8", "kd"]})"};
  CHECK(branch_points(tiny_config(sets)).empty());  // "more" comes behind the teacher
  std::vector<std::string> last = sets;
  last.emplace_back("compression.kd.teacher.phase=more");
  CHECK(branch_points(tiny_config(last)) == Points{2});
}

TEST_CASE("where a run can branch") {
  CHECK(branch_points(tiny_config({})) == Points{1, 2, 3});
  // The course of a learning rate is not cut.
  CHECK(branch_points(tiny_config(
            {R"(phases[1]={"_delete_": true, "name": "prune", "epochs": 2, "apply": ["prune"],
                           "continue": true})",
             R"(phases[2]={"_delete_": true, "name": "more", "epochs": 1})"})) == Points{2, 3});
  // Methods that look back, decide or learn.
  CHECK(branch_points(tiny_config({R"(compression.prune={"_delete_": true, "kind": "prune",
                                       "rewind": {"to": 0, "rounds": 2, "per_round": 0.3}})"}))
            .empty());
  CHECK(
      branch_points(tiny_config(
          {R"(compression.kd={"kind": "distill", "teacher": {"phase": "float"}})",
           R"(phases=[{"name": "float", "epochs": 1}, {"name": "learn", "epochs": 1, "apply": ["kd"]},
                        {"name": "int8", "epochs": 1, "apply": ["int8"]}])"})) == Points{1});
  // A network of the first phase could be kept: it has all methods of the end.
  CHECK(branch_points(tiny_config({R"(phases=[{"name": "a", "epochs": 1, "apply": ["int8"]},
                        {"name": "b", "epochs": 1, "apply": ["prune"]},
                        {"name": "c", "epochs": 1, "release": ["prune"]}])"})) == Points{1, 3});
  // What telemetry tells of the first phases, a beginning does not write.
  CHECK(branch_points(tiny_config({"report.telemetry=2"})) == Points{1});
}

TEST_CASE("what was trained otherwise is no beginning") {
  const RunConfig run = tiny_config({});
  CHECK(refusal(beginning_of(run, 1), run) == "(no error)");
  CHECK(refusal(beginning_of(run, 1), tiny_config({"composition=quantize_then_mask"})) ==
        "(no error)");
  CHECK(
      contains(refusal(beginning_of(tiny_config({"seed=2"}), 1), run), "/seed was 2, now it is 1"));
  CHECK(contains(refusal(beginning_of(run, 1), tiny_config({"phases[0].epochs=2"})),
                 "/phases/0/epochs"));
  CHECK(contains(refusal(beginning_of(run, 1), tiny_config({"optimizer.learning_rate=0.02"})),
                 "/optimizer/learning_rate"));
  CHECK(contains(refusal(beginning_of(run, 2), tiny_config({"compression.prune.sparsity.to=0.3"})),
                 "/compression/prune/sparsity/to"));
  CHECK(refusal(beginning_of(run, 2), tiny_config({"compression.int8.weights.bits=4"})) ==
        "(no error)");
  const std::vector<std::string> joint = {R"(phases[1].apply=["prune", "int8"])",
                                          "phases[2].apply=[]"};
  std::vector<std::string> turned = joint;
  turned.emplace_back("composition=quantize_then_mask");
  CHECK(
      contains(refusal(beginning_of(tiny_config(joint), 2), tiny_config(turned)), "/composition"));
}
