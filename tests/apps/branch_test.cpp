// A run that branches from a beginning ends with the bits of one that trained it itself.
#include "apps/lib/branch.h"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

// The end of `run` when its beginning was trained by another run.
TinyRun::End end_of_branch(const RunConfig& run) {
  TinyRun beginning(beginning_of(run));
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
      {R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}})",
       R"(strategy={"kind": "joint", "epochs": {"dense": 1.5, "stage": 1, "recover": 0.5},
                    "distill": "kd", "distill_when": "throughout"})",
       "optimizer.ema=0.9"},
      {R"(strategy={"kind": "dense", "epochs": {"dense": 1.5, "stage": 1, "recover": 0.5}})"},
      {R"(strategy={"kind": "dense", "epochs": {"dense": 2}, "budget": "as_is"})"}};
  for (const auto& sets : variants) {
    CAPTURE(fmt::format("{}", fmt::join(sets, " ")));
    const RunConfig run = tiny_config(sets);
    CHECK(end_of_branch(run) == TinyRun(run).end());
  }
}

TEST_CASE("a beginning has the networks that later phases learn from") {
  const std::vector<std::string> sets = {
      R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}})",
      R"(phases[1]={"_delete_": true, "name": "more", "epochs": 1, "continue": true})",
      R"(phases[2]={"name": "learn", "epochs": 1, "apply": ["int8", "kd"]})"};
  CHECK(phases_of_beginning(tiny_config(sets)) == 0);  // "more" comes behind the teacher
  std::vector<std::string> last = sets;
  last.emplace_back("compression.kd.teacher.phase=more");
  CHECK(phases_of_beginning(tiny_config(last)) == 2);
}

TEST_CASE("a beginning ends before the first phase that compresses") {
  CHECK(phases_of_beginning(tiny_config({})) == 1);
  CHECK(phases_of_beginning(tiny_config({"phases[0].apply=[\"prune\"]", "phases[1].apply=[]"})) ==
        0);
  // The course of a learning rate is not cut.
  CHECK(phases_of_beginning(tiny_config(
            {R"(phases[1]={"_delete_": true, "name": "prune", "epochs": 2, "apply": ["prune"],
                           "continue": true})"})) == 0);
}

TEST_CASE("what was trained otherwise is no beginning") {
  const RunConfig run = tiny_config({});
  CHECK(refusal(beginning_of(run), run) == "(no error)");
  CHECK(refusal(beginning_of(run), tiny_config({"composition=quantize_then_mask"})) ==
        "(no error)");
  CHECK(contains(refusal(beginning_of(tiny_config({"seed=2"})), run), "/seed was 2, now it is 1"));
  CHECK(contains(refusal(beginning_of(run), tiny_config({"phases[0].epochs=2"})),
                 "/phases/0/epochs"));
  CHECK(contains(refusal(beginning_of(run), tiny_config({"optimizer.learning_rate=0.02"})),
                 "/optimizer/learning_rate"));
}
