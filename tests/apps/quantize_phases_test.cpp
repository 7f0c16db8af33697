// Quantize methods in the phases of a run: what one of them has done stays while another works,
// also over checkpoints, and a calibration leaves a network as a phase of training would.
#include <doctest/doctest.h>

#include "layers/batch_norm.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

bool is_frozen(Trainer& trainer) {
  return dynamic_cast<BatchNorm&>(*trainer.network().node("norm").module).statistics_frozen();
}

// A phase that quantizes weights and freezes batch norm at once, and one that quantizes activations
// and never freezes it. 8 updates without either, then 16 and 16.
RunConfig weights_then_activations() {
  return tiny_config(
      {R"(compression.w={"kind": "quantize", "activations": null, "freeze_statistics_at": 0})",
       R"(compression.a={"kind": "quantize", "weights": null, "freeze_statistics_at": 1})",
       R"(phases[1].apply=["w"])", R"(phases[2].apply=["a"])"});
}

}  // namespace

TEST_CASE("saving changes nothing where several methods quantize") {
  const RunConfig run = weights_then_activations();
  TinyRun plain(run);
  const TinyRun::End whole = plain.end();
  CHECK(is_frozen(plain.trainer()));
  for (const std::int64_t update : {12, 25, 27, 38}) {
    CAPTURE(update);
    TinyRun saved(run);
    saved.after_update(update, [&] { saved.trainer().checkpoint(); });
    CHECK((saved.end() == whole));
  }
}

TEST_CASE("a run with several quantize methods that is resumed ends with the same bits") {
  const RunConfig run = weights_then_activations();
  const TinyRun::End whole = TinyRun(run).end();
  check_resumes(run, whole, {12, 24, 27, 32, 38});
}

TEST_CASE("a method that is released does not thaw what another one froze") {
  const std::string back = R"(phases[3]={"name": "back", "epochs": 1, "release": ["a"]})";
  TinyRun run(tiny_config(
      {R"(compression.w={"kind": "quantize", "activations": null, "freeze_statistics_at": 0})",
       R"(compression.a={"kind": "quantize", "weights": null, "freeze_statistics_at": 0})",
       R"(phases[1].apply=["w"])", R"(phases[2].apply=["a"])", back}));
  run.train();
  CHECK(is_frozen(run.trainer()));
}

TEST_CASE("behind a calibration batch norm is frozen, unless never") {
  for (const std::string position : {"0", "0.5", "1"}) {
    CAPTURE(position);
    const RunConfig config = tiny_config(
        {R"(phases[1]={"name": "calibrate", "epochs": 0, "apply": ["int8"]})",
         R"(phases[2].apply=["prune"])", "compression.int8.freeze_statistics_at=" + position});
    TinyRun run(config);
    const TinyRun::End whole = run.end();
    CHECK(is_frozen(run.trainer()) == (position != "1"));
    TinyRun stopped(config, 17);
    CHECK_THROWS_AS(stopped.train(), Stopped);
    TinyRun resumed(config);
    resumed.resume(stopped);
    CHECK((resumed.end() == whole));
  }
}

TEST_CASE(
    "observers that are frozen at once keep the first batch's ranges, and the run ends well") {
  const RunConfig config = tiny_config({"compression.int8.freeze_observers_at=0"});
  const TinyRun::End whole = TinyRun(config).end();
  CHECK_FALSE(whole.model.empty());
  check_resumes(config, whole, {24, 25, 33});
}
