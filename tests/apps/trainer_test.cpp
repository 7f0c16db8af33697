#include "apps/lib/trainer.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "apps/lib/diverged.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/finish.h"
#include "compression/attach.h"
#include "compression/network_json.h"
#include "compression/prune/mask.h"
#include "datasets/batches.h"
#include "framework/base/file.h"
#include "framework/base/parallel.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

double validation_accuracy(Trainer& trainer) {
  const Images& images = tiny_digits().validation;
  return static_cast<double>(count_correct(trainer.network(), images, trainer.values())) /
         static_cast<double>(images.count());
}

// Counts the training passes in which a weight goes through its chain.
class CountingTransform final : public Transform {
 public:
  explicit CountingTransform(std::int64_t& count) : count_(count) {}
  std::string_view kind() const override { return "counting"; }
  Variable apply(const Variable& value, const Pass& pass) override {
    count_ += pass.training();
    return value;
  }
  void visit_state(const std::string&, StateVisitor&) override {}

 private:
  std::int64_t& count_;
};

}  // namespace

TEST_CASE("weights are masked and quantized once in a step, whoever else looks at them") {
  // The penalty, the pruner, the averages and telemetry read weights beside the layers.
  const RunConfig run = tiny_config({"compression.int8.error_penalty=0.001", "optimizer.ema=0.9"});
  TinyRun tiny(run);
  std::map<std::string, std::int64_t> counts;
  for (Parameter* p : tiny.trainer().network().parameters())
    p->insert(0, std::make_unique<CountingTransform>(counts[p->path()]));
  tiny.train();
  CHECK(counts.size() >= 4);
  for (const auto& [path, count] : counts) {
    CAPTURE(path);
    CHECK(count == 5 * 8);
  }
}

TEST_CASE("a run that is stopped anywhere and resumed ends with the same bits") {
  const RunConfig run = tiny_config({});
  const TinyRun::End whole = TinyRun(run).end();
  for (const std::int64_t updates :
       {0, 3, 8, 13, 24, 25, 33, 39}) {  // within epochs, at ends of epochs and phases
    CAPTURE(updates);
    TinyRun stopped(run, updates);
    CHECK_THROWS_AS(stopped.train(), Stopped);
    CHECK(stopped.trainer().state().run_step == updates);
    TinyRun resumed(run);
    resumed.resume(stopped);
    CHECK((resumed.end() == whole));
  }
}

TEST_CASE("a signal between any two batches, of validation and calibration too, loses nothing") {
  // A phase that calibrates, and averages that are exchanged for every look at the network.
  const RunConfig run =
      tiny_config({"phases[1]={\"name\": \"calibrate\", \"epochs\": 0, \"apply\": [\"int8\"]}",
                   "phases[2].apply=[\"prune\"]", "optimizer.ema=0.9"});
  TinyRun uninterrupted(run);
  const TinyRun::End whole = uninterrupted.end();
  const std::int64_t questions = uninterrupted.questions();
  CHECK(questions > 24 + 4 + 1);  // more than updates: validation and calibration ask as well
  for (std::int64_t question = 0; question < questions; ++question) {
    CAPTURE(question);
    TinyRun stopped(run);
    stopped.stop_at_question(question);
    CHECK_THROWS_AS(stopped.train(), Stopped);
    CHECK(load_checkpoint(stopped.last()).state.run_step == stopped.trainer().state().run_step);
    TinyRun resumed(run);
    resumed.resume(stopped);
    CHECK((resumed.end() == whole));
  }
}

TEST_CASE("a checkpoint holds its network: it computes the same without the config") {
  TinyRun run(tiny_config({}), 33);
  CHECK_THROWS_AS(run.train(), Stopped);
  Checkpoint saved = load_checkpoint(run.last());
  saved.config = nullptr;
  Network loaded = network_of(saved, "last.h5");
  CHECK(describe_network(loaded) == describe_network(run.trainer().network()));
  const Batch batch = batch_in_order(tiny_digits().test, run.trainer().values(), 0, 96);
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 1, 0);
  CHECK(values_of(loaded.forward(Variable(batch.images), pass).value()) ==
        values_of(run.trainer().network().forward(Variable(batch.images), pass).value()));
}

TEST_CASE("a checkpoint whose network and arrays do not agree is refused with its name") {
  TinyRun run(tiny_config({}), 33);
  CHECK_THROWS_AS(run.train(), Stopped);
  const Checkpoint good = load_checkpoint(run.last());
  const auto fault = [&](const auto& change) {
    Checkpoint bad = good;
    change(bad);
    return error_of([&] { network_of(bad, "x.h5"); });
  };
  CHECK(fault([](Checkpoint&) {}) == "(no error)");
  CHECK(fault([](Checkpoint& c) {
          for (config::Json& node : c.network["nodes"]) {
            if (node["name"] == "last") node["units"] = 60000;
          }
        }) == "x.h5: no values of this shape for 'last.weight'");
  CHECK(fault([](Checkpoint& c) {
          c.network["chains"].erase("last.weight");
        }).starts_with("x.h5: 'network/last.weight/fake_quant/"));
  CHECK(
      fault([](Checkpoint& c) { c.network = 7; }).starts_with("x.h5: its network cannot be read"));
  CHECK(fault([](Checkpoint& c) {
          c.network["shapes"]["last"] = {9};
        }).starts_with("x.h5: network: node 'last': expected the shape [10], got [9]"));
}

TEST_CASE("1, 2 and 3 threads give the same bits") {
  const int before = thread_count();
  std::vector<TinyRun::End> ends;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    ends.push_back(TinyRun(tiny_config({})).end());
  }
  set_thread_count(before);
  CHECK((ends[1] == ends[0]));
  CHECK((ends[2] == ends[0]));
  CHECK_FALSE((TinyRun(tiny_config({"seed=2"})).end() == ends[0]));  // the comparison can fail
}

TEST_CASE("a released method leaves nothing behind") {
  TinyRun run(tiny_config({"phases[2].release=[\"prune\"]"}));
  run.train();
  Network& network = run.trainer().network();
  for (const Parameter* weight : select_weights(network, {})) CHECK(weight->find(kMask) == nullptr);
  CHECK(has_activation_quantizers(network));
  CHECK(run.trainer().state().rows[2].sparsity == doctest::Approx(0.75).epsilon(0.01));
  CHECK(run.trainer().state().rows.back().sparsity == 0);

  TinyRun other(tiny_config({"phases[1].apply=[\"int8\"]", "phases[2].apply=[\"prune\"]",
                             "phases[2].release=[\"int8\"]"}));
  other.train();
  CHECK_FALSE(has_activation_quantizers(other.trainer().network()));
  CHECK(other.trainer().state().rows.back().status == "75.0% zero");
}

TEST_CASE("a loss that is not finite stops the run before any weight changes, and names the node") {
  TinyRun run(tiny_config({}));
  Network& network = run.trainer().network();
  std::vector<float> before;
  run.after_update(3, [&] {
    parameter(network, "last.weight").latent().mutable_data()[7] =
        std::numeric_limits<float>::infinity();
    before = values_of(parameter(network, "conv.weight").latent());
  });
  try {
    run.train();
    FAIL("no error");
  } catch (const DivergedError& error) {
    CHECK(error.code() == ExitCode::diverged);
    CHECK(contains(error.what(), "phase 'dense', step 3"));
    CHECK(contains(error.what(), "the output of node 'last'"));
  }
  CHECK(values_of(parameter(network, "conv.weight").latent()) == before);
}

TEST_CASE("a range that is not finite ends a quantized phase as diverged, with phase and step") {
  TinyRun run(tiny_config({"phases[0].apply=[\"int8\"]", "phases[2].apply=[]"}));
  Network& network = run.trainer().network();
  run.after_update(3, [&] {
    parameter(network, "last.weight").latent().mutable_data()[7] =
        std::numeric_limits<float>::infinity();
  });
  try {
    run.train();
    FAIL("no error");
  } catch (const DivergedError& error) {
    CHECK(contains(error.what(), "phase 'dense', step 3: last.weight: values in ["));
    CHECK(contains(error.what(), "try a smaller learning rate"));
  }
}

TEST_CASE("a gradient that is not finite behind a finite loss names its parameter") {
  // Pixels of 2.5e38 and weights of 1e-37: outputs near 25 per lit pixel, gradients beyond float32.
  Dataset dataset = tiny_digits();
  dataset.mean = {0.0f};
  dataset.std_dev = {4e-39f};
  const auto text =
      R"({"model": [{"kind": "flatten"}, {"kind": "dense", "name": "only", "units": 10}],
                        "loss": {"kind": "mse"}, "phases": [{"name": "p", "steps": 1}]})";
  const RunConfig config = config::read<RunConfig>(config::load_text(text, "x"));
  Trainer trainer(config, dataset, {});
  Parameter& weight = parameter(trainer.network(), "only.weight");
  std::fill_n(weight.latent().mutable_data(), weight.shape().size(), 1e-37f);
  CHECK(contains(error_of([&] { trainer.run(); }), "the gradient of 'only.weight' is not finite"));
  CHECK(weight.latent().data()[0] == 1e-37f);
}

TEST_CASE("weights that became infinite behind a finite gradient are never saved") {
  TinyRun run(tiny_config({}));
  run.after_update(8, [&] {
    parameter(run.trainer().network(), "conv.weight").latent().mutable_data()[3] =
        std::numeric_limits<float>::infinity();
  });
  const std::string error = error_of([&] { run.train(); });
  CHECK(
      contains(error, "after 8 updates: 'network/conv.weight' holds numbers that are not finite"));
  for (const NamedArray& array : load_checkpoint(run.last()).arrays) {  // from before
    CAPTURE(array.name);
    CHECK(first_bad_array({array}) == "");
  }
}

TEST_CASE(
    "the kept network is the best of those with all of the final compression, the later of "
    "equals") {
  // A last phase that ruins the network, so that the best lies before the end.
  TinyRun run(tiny_config(
      {"phases[3].name=ruin", "phases[3].epochs=1", "phases[3].optimizer.learning_rate=5"}));
  run.train();
  const TrainingState& state = run.trainer().state();
  REQUIRE(state.best);
  std::size_t expected = state.rows.size();
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    if (!state.rows[i].at_target) continue;
    if (expected == state.rows.size() ||
        *state.rows[i].validation >= *state.rows[expected].validation)
      expected = i;
  }
  CHECK(*state.best == expected);
  CHECK(state.rows[*state.best].phase == "quantize");
  CHECK_FALSE(state.rows[0].at_target);
  CHECK_FALSE(state.rows[2].at_target);  // pruned, but not yet quantized
  CHECK(validation_accuracy(run.trainer()) == *state.rows[*state.best].validation);
  CHECK(validation_accuracy(run.trainer()) > *state.rows.back().validation);
}

TEST_CASE("report.keep last keeps the last") {
  TinyRun run(tiny_config({"report.keep=last"}));
  run.train();
  CHECK(run.trainer().kept() + 1 == run.trainer().state().rows.size());
}

TEST_CASE("float is the accuracy of the dense network, and nothing where every phase compresses") {
  TinyRun run(tiny_config({"phases[1].apply=[]", "phases[2].apply=[]"}));
  run.train();
  const Images& test = tiny_digits().test;
  const double accuracy =
      static_cast<double>(count_correct(run.trainer().network(), test, run.trainer().values())) /
      static_cast<double>(test.count());
  // Without a best epoch in between, the network at hand is the one at the end of the last dense
  // phase.
  if (run.trainer().kept() + 1 == run.trainer().state().rows.size()) {
    CHECK(run.trainer().state().float_accuracy == accuracy);
  }
  CHECK(run.trainer().state().float_accuracy.has_value());
  TinyRun compressed(tiny_config({"phases[0].apply=[\"int8\"]", "phases[2].apply=[]"}));
  compressed.train();
  CHECK_FALSE(compressed.trainer().state().float_accuracy.has_value());
}

TEST_CASE("frozen parameters do not train in their phase, and train in the next") {
  std::vector<std::vector<float>> weights;
  const RunConfig config = tiny_config({"phases[1].freeze=[\"conv.*\", \"norm.*\"]"});
  Trainer* trainer = nullptr;
  TrainerEvents events;
  events.row = [&](EpochRow&) {
    weights.push_back(values_of(parameter(trainer->network(), "conv.weight").latent()));
  };
  Trainer own(config, tiny_digits(), events);
  trainer = &own;
  own.run();
  REQUIRE(weights.size() == 5);
  CHECK(weights[1] == weights[0]);
  CHECK(weights[2] == weights[0]);
  CHECK(weights[3] != weights[2]);
  CHECK(contains(error_of([] {
                   rehearse(tiny_config({"phases[1].freeze=[\"conv.wait\"]"}), tiny_digits());
                 }),
                 "pattern 'conv.wait' matches no parameter (did you mean 'conv.weight'?)"));
}

TEST_CASE("a checkpoint of another config or other data is refused with what differs") {
  TinyRun run(tiny_config({}), 3);
  CHECK_THROWS_AS(run.train(), Stopped);
  const Checkpoint checkpoint = load_checkpoint(run.last());
  const config::Json other = config::write(tiny_config({"phases[1].epochs=3"}));
  CHECK(contains(error_of([&] { require_same_run(checkpoint, other, tiny_digits().hash, "x.h5"); }),
                 "x.h5: was written by another config: /phases/1/epochs was 2.0, now it is 3.0"));
  CHECK_THROWS_AS(require_same_run(checkpoint, checkpoint.config, "another hash", "x.h5"),
                  DataError);
}
