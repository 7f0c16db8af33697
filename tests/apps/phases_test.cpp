#include "apps/lib/phases.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

// Three rounds in 17 updates, and four more that continue the last one.
RunConfig rewinding(std::initializer_list<std::string> more) {
  std::vector<std::string> sets = {
      R"(compression.prune={"_delete_": true, "kind": "prune", "rewind": {"rounds": 3}})",
      R"(phases[1]={"_delete_": true, "name": "rounds", "steps": 17, "apply": ["prune"],
          "optimizer": {"learning_rate": {"kind": "cosine", "from": 0.01, "to": 0.001}}})",
      R"(phases[2]={"_delete_": true, "name": "on", "steps": 4, "apply": ["int8"],
          "continue": true})"};
  sets.insert(sets.end(), more.begin(), more.end());
  return tiny_config(sets);
}

}  // namespace

TEST_CASE("epochs become updates of whole batches") {
  const RunConfig run = tiny_config({"phases[0].epochs=1.5", "phases[2].epochs=0.01"});
  CHECK(steps_per_epoch(run, 256) == 8);
  CHECK(steps_per_epoch(run, 287) == 8);  // 31 images wait for the next order
  CHECK(steps_per_epoch(run, 10) == 1);   // fewer than a batch: all of them are it
  const auto spans = phase_spans(run, 256);
  CHECK(spans[0].steps == 12);
  CHECK(spans[1].steps == 16);
  CHECK(spans[2].steps == 1);  // a little training is not none
  CHECK(epochs_of(spans[0]) == 2);
}

TEST_CASE("a phase of no epochs has no updates") {
  CHECK(phase_spans(tiny_config({"phases[2].epochs=0"}), 256)[2].steps == 0);
}

TEST_CASE("a schedule that ends after its phase is refused with the phase and the key") {
  const RunConfig run =
      tiny_config({"compression.prune.sparsity.unit=steps", "compression.prune.sparsity.end=17"});
  const std::string message = error_of([&] { check_schedules(run, phase_spans(run, 256)); });
  CHECK(contains(message,
                 "phases[1] 'prune': compression.prune.sparsity: schedule: expected 'end' within "
                 "its phase of 16"));
  CHECK(error_of([&] { check_schedules(run, phase_spans(run, 1000)); }) == "(no error)");
}

TEST_CASE("a phase that rewinds has the whole course of its learning rate in every round") {
  const RunConfig run = rewinding({});
  const std::vector<RateCourse> courses = rate_courses(run, phase_spans(run, 256));
  const Schedule& rate = run.phases[1].optimizer.learning_rate;
  const auto cosine = [](double p) {
    return 0.001 + 0.009 * (1 + std::cos(std::numbers::pi * p)) / 2;
  };
  CHECK(courses[1].rounds == std::vector<std::int64_t>{0, 5, 11});
  CHECK(courses[1].shortest().steps == 5);
  for (const std::int64_t begin : {0, 5, 11}) CHECK(courses[1].at(rate, begin) == 0.01);
  for (const std::int64_t end : {4, 10}) CHECK(courses[1].at(rate, end) == 0.001);
  CHECK(courses[1].at(rate, 1) == doctest::Approx(cosine(0.25)));
  CHECK(courses[1].at(rate, 7) == doctest::Approx(cosine(0.4)));
  // The last round goes on: six updates and four.
  CHECK(courses[2].span.steps == 10);
  CHECK(courses[2].done == 6);
  CHECK(courses[1].at(rate, 16) == doctest::Approx(cosine(5.0 / 9)));
  CHECK(courses[2].at(rate, 0) == doctest::Approx(cosine(6.0 / 9)));
  CHECK(courses[2].at(rate, 3) == 0.001);
}

TEST_CASE("a learning rate whose course is longer than a round is refused, and a smoke run fits") {
  const std::string end = "phases[1].optimizer.learning_rate.";
  const RunConfig run = rewinding({end + "unit=steps", end + "end=6"});
  CHECK(contains(error_of([&] { check_schedules(run, phase_spans(run, 256)); }),
                 "phases[1] 'rounds': optimizer.learning_rate, anew in every round: schedule: "
                 "expected 'end' within its phase of 5 steps"));
  RunConfig smoke = rewinding({end + "unit=steps", end + "end=33", "phases[1].steps=100"});
  Dataset dataset = tiny_digits();
  make_smoke(smoke, dataset);
  const std::vector<ScheduleSpan> spans = phase_spans(smoke, dataset.train.count());
  CHECK(error_of([&] { check_schedules(smoke, spans); }) == "(no error)");
  // 33 of 33 updates became 6 of 6.
  CHECK(rate_courses(smoke, spans)[1].shortest().steps == 6);
  CHECK(smoke.phases[1].optimizer.learning_rate.end == doctest::Approx(6));
  CHECK(smoke.phases[2].optimizer.learning_rate == smoke.phases[1].optimizer.learning_rate);
}

TEST_CASE("activations that would never be switched on are refused") {
  const RunConfig run = tiny_config({"compression.int8.delay=2"});
  CHECK(contains(error_of([&] { check_schedules(run, phase_spans(run, 256)); }),
                 "compression.int8.delay"));
}

TEST_CASE("a smoke run keeps the course of every schedule") {
  RunConfig run =
      tiny_config({"phases[1].epochs=100", "compression.prune.sparsity.unit=epochs",
                   "compression.prune.sparsity.end=50", "compression.prune.sparsity.frequency=10",
                   "phases[2].epochs=100", "compression.int8.delay=25"});
  Dataset dataset = tiny_digits();
  const auto full = phase_spans(run, dataset.train.count());
  const Schedule before = std::get<PruneConfig>(run.method("prune").options).sparsity;
  make_smoke(run, dataset);
  const auto spans = phase_spans(run, dataset.train.count());
  CHECK(spans[0].steps == 8);
  CHECK(spans[1].steps == 20);
  const Schedule after = std::get<PruneConfig>(run.method("prune").options).sparsity;
  CHECK(after.frequency == 1);
  CHECK(after.at(0, spans[1]) == 0);
  CHECK(after.at(5, spans[1]) == doctest::Approx(before.at(200, full[1])));
  CHECK(after.at(10, spans[1]) == 0.75);
  CHECK(after.at(9, spans[1]) < 0.75);
  // 25 of 100 epochs are a quarter of 20 updates, at 8 updates an epoch.
  CHECK(std::get<QuantizeConfig>(run.method("int8").options).delay == doctest::Approx(5.0 / 8));
}

TEST_CASE("what is small enough stays as it is in a smoke run") {
  RunConfig run = tiny_config({});
  Dataset dataset = tiny_digits();
  make_smoke(run, dataset);
  CHECK(dataset.train.count() == 256);
  CHECK(dataset.hash == tiny_digits().hash);
  CHECK(phase_spans(run, 256)[1].steps == 16);
  const config::Json once = config::write(run);
  make_smoke(run, dataset);
  CHECK(config::write(run) == once);
}
