// Distillation: the loss against its formula, which network teaches, and that a run with a teacher
// is a function of its config like any other.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/lib/teachers.h"
#include "compression/distill_method.h"
#include "compression/network_json.h"
#include "datasets/batches.h"
#include "datasets/load.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

using Values = std::vector<double>;

const std::vector<std::string> kFromPhase = {
    R"(compression.kd={"kind": "distill", "teacher": {"phase": "dense"}, "temperature": 2})",
    R"(phases[1].apply=["prune", "kd"])"};

std::vector<std::string> with(std::vector<std::string> sets, const std::string& more) {
  sets.push_back(more);
  return sets;
}

Values log_softmax(const float* x, std::size_t classes, double temperature) {
  Values y;
  double sum = 0;
  for (std::size_t c = 0; c < classes; ++c) sum += std::exp(x[c] / temperature);
  for (std::size_t c = 0; c < classes; ++c) y.push_back(x[c] / temperature - std::log(sum));
  return y;
}

Network fresh(std::uint64_t seed) {
  const RunConfig run = tiny_config({});
  Network network = build_network(run.model, tiny_digits().train.shape, 10);
  network.initialize(seed);
  return network;
}

// The loss of a method on the first images, with `labels` for the phase's own loss.
double loss_of_method(const DistillConfig& config, Network& teacher, Network& student,
                      std::vector<std::int32_t> labels) {
  DistillMethod method(config);
  method.learn_from(teacher);
  method.before_step({.span = {10, 5}, .applied_here = true, .visit_moments = nullptr});
  const auto values = pixel_values(tiny_digits());
  const Batch batch = batch_in_order(tiny_digits().test, values, 0, std::ssize(labels));
  const Variable logits =
      student.forward(Variable(batch.images), Pass::begin(Pass::Mode::evaluate, 1, 0));
  const Variable own = loss_of({}, logits, labels);
  return double{method.loss({.images = batch.images, .logits = logits, .loss = own}).value().item()};
}

}  // namespace

TEST_CASE("at alpha 1 the loss is the teacher's, at alpha 0 the labels', between them the sum") {
  Network teacher = fresh(1), student = fresh(2);
  const std::vector<std::int32_t> labels = {3, 1, 4, 1, 5}, others = {0, 0, 0, 0, 0};
  const auto values = pixel_values(tiny_digits());
  const Batch batch = batch_in_order(tiny_digits().test, values, 0, 5);
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 1, 0);
  const Tensor t = teacher.forward(Variable(batch.images), pass).value();
  const Tensor s = student.forward(Variable(batch.images), pass).value();
  for (const double temperature : {1.0, 4.0, 20.0}) {
    CAPTURE(temperature);
    double divergence = 0, entropy = 0;
    for (std::size_t b = 0; b < 5; ++b) {
      const Values p = log_softmax(t.data() + 10 * b, 10, temperature);
      const Values q = log_softmax(s.data() + 10 * b, 10, temperature);
      for (std::size_t c = 0; c < 10; ++c) divergence += std::exp(p[c]) * (p[c] - q[c]) / 5;
      entropy -= log_softmax(s.data() + 10 * b, 10, 1)[static_cast<std::size_t>(labels[b])] / 5;
    }
    const double of_teacher = temperature * temperature * divergence;
    const auto loss = [&](double alpha, const std::vector<std::int32_t>& truth) {
      DistillConfig config;
      config.temperature = Schedule::constant(temperature);
      config.alpha = alpha;
      return loss_of_method(config, teacher, student, truth);
    };
    CHECK(loss(1, labels) == doctest::Approx(of_teacher).epsilon(1e-5));
    CHECK(loss(1, labels) == loss(1, others));
    CHECK(loss(0, labels) == doctest::Approx(entropy).epsilon(1e-6));
    CHECK(loss(0.3, labels) == doctest::Approx(0.3 * of_teacher + 0.7 * entropy).epsilon(1e-5));
  }
  DistillConfig config;
  config.alpha = 1;
  CHECK(loss_of_method(config, teacher, teacher, labels) == doctest::Approx(0));
}

TEST_CASE("at alpha 1 labels do not matter in a phase that distils") {
  const auto trained = [](bool relabelled) {
    RunConfig run = tiny_config(with(kFromPhase, "compression.kd.alpha=1"));
    run.phases.resize(2);
    Dataset data = tiny_digits();
    TrainerEvents events;
    events.phase = [&](const PhaseConfig& phase) {
      if (phase.name == "prune" && relabelled) {
        for (std::int32_t& label : data.train.labels) label = 0;
      }
    };
    Trainer trainer(run, data, events);
    trainer.run();
    return values_of(parameter(trainer.network(), "last.weight").latent());
  };
  CHECK(trained(true) == trained(false));
}

TEST_CASE("the teacher is the network that its phase ended with") {
  RunConfig alone = tiny_config({});
  alone.phases.resize(1);
  TinyRun dense(alone);
  dense.train();
  const Snapshot network = part_of(load_checkpoint(dense.last()).arrays, kNetworkArrays);
  for (const std::int64_t updates : {9, 20, 30}) {
    TinyRun run(tiny_config(kFromPhase), updates);
    CHECK_THROWS_AS(run.train(), Stopped);
    const Checkpoint checkpoint = load_checkpoint(run.last());
    CHECK(checkpoint.teachers.contains("kd"));
    Snapshot teacher = part_of(checkpoint.arrays, "teachers/kd/");
    for (NamedArray& array : teacher) array.name.replace(0, 12, kNetworkArrays);
    CHECK((teacher == network));
  }
}

TEST_CASE("a run with a teacher is resumed to the same bits, and needs the teacher's file no more") {
  TemporaryFolder folder;
  {
    RunConfig other = tiny_config({R"(phases=[{"name": "t", "steps": 9}])"});
    TinyRun teacher(other);
    teacher.train();
    std::filesystem::copy_file(teacher.last(), folder.file("teacher.h5"));
  }
  const std::vector<std::string> from_file = {
      R"(compression.kd={"kind": "distill", "teacher": {"checkpoint": ")" +
          folder.file("teacher.h5") + R"("}})",
      R"(phases[1].apply=["prune", "kd"])"};
  for (const auto& sets : {kFromPhase, from_file}) {
    const RunConfig run = tiny_config(sets);
    const TinyRun::End whole = TinyRun(run).end();
    for (const std::int64_t updates : {3, 8, 13, 30}) {
      CAPTURE(updates);
      TinyRun stopped(run, updates);
      CHECK_THROWS_AS(stopped.train(), Stopped);
      if (updates == 30 && sets == from_file) std::filesystem::remove(folder.file("teacher.h5"));
      TinyRun resumed(run);
      resumed.resume(stopped);
      CHECK((resumed.end() == whole));
    }
  }
}

TEST_CASE("a teacher of other images or classes is refused before training") {
  TemporaryFolder folder;
  Dataset data = tiny_digits();
  data.classes = 12;
  RunConfig other = tiny_config({R"(phases=[{"name": "t", "steps": 1}])", "model[6].units=12"});
  Trainer* made = nullptr;
  TrainerEvents events;
  events.save = [&](bool) { save_checkpoint(made->checkpoint(), folder.file("teacher.h5")); };
  Trainer trainer(other, data, events);
  made = &trainer;
  trainer.run();
  const RunConfig run = tiny_config(
      {R"(compression.kd={"kind": "distill", "teacher": {"checkpoint": ")" +
           folder.file("teacher.h5") + R"("}})",
       R"(phases[1].apply=["kd"])"});
  CHECK(contains(error_of([&] { rehearse(run, tiny_digits()); }),
                 "has the output [12], expected the network's own, [10]"));
}
