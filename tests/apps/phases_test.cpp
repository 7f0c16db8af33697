#include "apps/lib/phases.h"

#include <doctest/doctest.h>

#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

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
