// The automatic search: the allocation against trying everything, the bound on bytes against the
// coder, and that a run with a search is a function of its config like any other.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/lib/auto/allocate.h"
#include "apps/lib/auto/curvature.h"
#include "apps/lib/auto/search.h"
#include "apps/lib/auto/sensitivity.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/result.h"
#include "compression/integer/model_file.h"
#include "framework/random.h"
#include "layers/dense.h"
#include "layers/shape_layers.h"
#include "layers/weighted.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

const std::vector<std::string> kAuto = {
    "dataset.validation=64",
    R"(compression={"_delete_": true, "small": {"kind": "auto", "budget": {"bytes": 2000},
       "search": {"bits": [2, 4], "sparsity": [0, 0.5, 0.8], "epochs": 0.5}}})",
    R"(phases=[{"name": "dense", "epochs": 1}, {"name": "small", "epochs": 2, "apply": ["small"]}])"};

std::vector<std::string> with(std::vector<std::string> sets, const std::string& more) {
  sets.push_back(more);
  return sets;
}

// The least loss within the limit, by trying every combination.
double best_of_all(const std::vector<std::vector<Option>>& layers, std::size_t layer, double left) {
  if (layer == layers.size()) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (const Option& option : layers[layer]) {
    if (option.bytes <= left)
      best = std::min(best, option.loss + best_of_all(layers, layer + 1, left - option.bytes));
  }
  return best;
}

}  // namespace

TEST_CASE("an allocation is within its limit and as good as the best of all combinations") {
  Random random(3, Stream::test);
  int found = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<Option>> layers(2 + random.below(4));
    for (auto& options : layers) {
      for (std::uint32_t k = 1 + random.below(6); k > 0; --k) {
        // Whole 4096ths of the limit, so that nothing is rounded.
        options.push_back({.bytes = static_cast<double>(random.below(2000)),
                           .loss = static_cast<double>(random.uniform())});
      }
    }
    const double best = best_of_all(layers, 0, 4096);
    const auto plan = allocate(layers, &Option::bytes, 4096);
    CHECK(plan.has_value() == (best < std::numeric_limits<double>::infinity()));
    if (!plan) continue;
    ++found;
    double bytes = 0, loss = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      bytes += layers[i][(*plan)[i]].bytes;
      loss += layers[i][(*plan)[i]].loss;
    }
    CHECK(bytes <= 4096);
    CHECK(loss == doctest::Approx(best));
  }
  CHECK(found > 100);
}

TEST_CASE("a budget of bytes is kept, by the bound and by the file") {
  TinyRun run(tiny_config(kAuto));
  run.train();
  const Outcome outcome =
      finish(run.trainer().network(), tiny_config(kAuto), tiny_digits(), nullptr);
  const config::Json decision = run.trainer().decisions()["small"];
  REQUIRE(is_decided(decision));
  const config::Json& plan = decision["plans"][decision["chosen"].get<std::size_t>()];
  CHECK(plan["bytes"].get<double>() <= 2000);
  CHECK(outcome.integer->bytes.size() <= 2000);
  CHECK(outcome.integer->verification.differing == 0);
  // What was decided is what the network has.
  for (const LayerResult& layer : layer_results(run.trainer().network(), *outcome.integer)) {
    for (const config::Json& wanted : plan["layers"]) {
      if (wanted["node"] != config::Json(layer.name)) continue;
      CHECK(layer.weight_bits == wanted["bits"].get<int>());
      CHECK(static_cast<double>(layer.bytes) <= wanted["bytes"].get<double>());
      CHECK(static_cast<double>(layer.zeros) >=
            wanted["sparsity"].get<double>() * static_cast<double>(layer.weights));
    }
  }
  for (const config::Json& other : decision["plans"]) {
    CHECK(!other["accuracy"].is_null());
    CHECK(other["accuracy"] <= plan["accuracy"]);
  }
}

TEST_CASE("a budget of multiplications is kept, by the plan and by the integers") {
  constexpr double kBudget = 16000;
  // The network has learnt enough to lose by zeros: with room for it the search keeps all weights.
  std::vector<std::string> sets = with(kAuto, "phases[0].epochs=4");
  sets = with(sets, "compression.small.search.sparsity=[0, 0.9]");
  const RunConfig config =
      tiny_config(with(sets, R"(compression.small.budget={"_delete_": true, "macs": 16000})"));
  TinyRun run(config);
  run.train();
  const Network& network = run.trainer().network();
  REQUIRE(static_cast<double>(network.macs()) > kBudget);  // the dense network does not fit
  const Outcome outcome = finish(run.trainer().network(), config, tiny_digits(), nullptr);
  const config::Json decision = run.trainer().decisions()["small"];
  for (const config::Json& plan : decision["plans"]) CHECK(plan["macs"].get<double>() <= kBudget);
  const config::Json& plan = decision["plans"][decision["chosen"].get<std::size_t>()];
  double macs = 0;
  std::int64_t counted = 0;
  for (const LayerResult& layer : layer_results(network, *outcome.integer)) {
    macs += static_cast<double>(layer.effective_macs);
    for (const config::Json& wanted : plan["layers"]) {
      if (wanted["node"] != config::Json(layer.name)) continue;
      ++counted;
      // A product of fractions: 2880 * (1 - 0.9) is a little less than 288.
      CHECK(static_cast<double>(layer.effective_macs) <= wanted["macs"].get<double>() + 1e-6);
    }
  }
  CHECK(counted == 2);
  CHECK(macs <= kBudget);
  const config::Json result = result_json(
      config, tiny_digits(), run.trainer(), outcome,
      layer_statistics(run.trainer().network(), tiny_digits().test, pixel_values(tiny_digits())),
      1);
  CHECK(result["auto"]["small"]["outcome"]["macs"] == macs);
  CHECK(result["auto"]["small"]["outcome"]["met"] == true);
}

TEST_CASE("curvature: that of softmax regression in closed form, and the weights stay") {
  const auto values = pixel_values(tiny_digits());
  Network network({28, 28, 1});
  network.add("flat", {"input"}, std::make_unique<Flatten>());
  network.add("last", {"flat"}, std::make_unique<Dense>(DenseOptions{.units = 10}));
  network.initialize(1);
  Parameter& weight = parameter(network, "last.weight");
  const std::vector<float> before = values_of(weight.latent());
  // trace = mean over images of |x|^2 times sum over classes of p (1 - p).
  const Images& images = tiny_digits().validation;
  const Batch batch = batch_in_order(images, values, 0, images.count());
  const Tensor logits =
      network.forward(Variable(batch.images), Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
  double trace = 0;
  for (std::int64_t b = 0; b < images.count(); ++b) {
    double square = 0, sum = 0, spread = 1;
    for (std::int64_t i = 0; i < 784; ++i)
      square += double{batch.images.data()[784 * b + i]} * double{batch.images.data()[784 * b + i]};
    for (std::int64_t k = 0; k < 10; ++k) sum += std::exp(double{logits.data()[10 * b + k]});
    for (std::int64_t k = 0; k < 10; ++k)
      spread -= std::pow(std::exp(double{logits.data()[10 * b + k]}) / sum, 2);
    trace += square * spread / static_cast<double>(images.count());
  }
  double estimate = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    estimate += mean_curvature(network, weight, images, values, seed) / 20;
  CHECK(estimate == doctest::Approx(trace / 7840).epsilon(0.15));
  CHECK(values_of(weight.latent()) == before);
}

TEST_CASE("with loss_points alone the smallest plan that loses no more is chosen") {
  const auto chosen = [](const std::string& points) {
    TinyRun run(tiny_config(with(
        kAuto, "compression.small.budget={\"_delete_\": true, \"loss_points\": " + points + "}")));
    run.train();
    return run.trainer().decisions()["small"];
  };
  const config::Json all = chosen("100");
  CHECK(all["chosen"] == 0);  // whatever it loses
  for (std::size_t i = 1; i < all["plans"].size(); ++i) {
    CHECK(all["plans"][i]["accuracy"].is_null());
    CHECK(all["plans"][i]["bytes"] >= all["plans"][i - 1]["bytes"]);
  }
  const config::Json some = chosen("5");
  const auto index = some["chosen"].get<std::size_t>();
  for (std::size_t i = 0; i < index; ++i) {
    CHECK(some["plans"][i]["accuracy"].get<double>() < some["baseline"].get<double>() - 0.05);
  }
}

TEST_CASE("a search that is stopped anywhere goes on to the same bits") {
  const RunConfig run = tiny_config(kAuto);
  const TinyRun::End whole = TinyRun(run).end();
  check_resumes(run, whole, {3, 8, 9, 20});  // before, at and behind the search
}

TEST_CASE("a search that is stopped between its trials goes on with the next one") {
  const RunConfig run = tiny_config(kAuto);
  const TinyRun::End whole = TinyRun(run).end();
  TinyRun decided(run, 9);
  CHECK_THROWS_AS(decided.train(), Stopped);
  TinyRun searching(run, 8);  // at the end of the dense phase, which the search follows
  CHECK_THROWS_AS(searching.train(), Stopped);
  Checkpoint checkpoint = load_checkpoint(searching.last());
  config::Json half = load_checkpoint(decided.last()).decisions["small"];
  REQUIRE(half["plans"].size() > 1);
  half["chosen"] = nullptr;
  half["plans"].back()["accuracy"] = nullptr;
  checkpoint.decisions["small"] = half;
  save_checkpoint(checkpoint, searching.last());
  TinyRun resumed(run);
  resumed.resume(searching);
  CHECK((resumed.end() == whole));
}

TEST_CASE("a budget that nothing keeps is refused before training, with what the least would be") {
  const auto refusal = [](const std::string& budget) {
    return error_of([&] {
      rehearse(tiny_config(with(kAuto, "compression.small.budget=" + budget)), tiny_digits());
    });
  };
  CHECK(contains(refusal(R"({"bytes": 200})"),
                 "compression.small.budget.bytes: expected at least "));
  CHECK(contains(refusal(R"({"_delete_": true, "macs": 10})"),
                 "compression.small.budget.macs: expected at least "));
  CHECK(refusal(R"({"bytes": 2000})") == "(no error)");
}

TEST_CASE("the bound on bytes holds for codes of any values") {
  // Nearly the worst case: what is not pruned has all codes equally often.
  for (const int bits : {2, 4, 8}) {
    for (const double sparsity : {0.0, 0.5, 0.9, 0.98}) {
      CAPTURE(bits);
      CAPTURE(sparsity);
      RunConfig run = tiny_config({R"(model[0].filters=24)", R"(report.integer=ptq)"});
      Network network = build_network(run.model, tiny_digits().train.shape, 10);
      network.initialize(1);
      Random random(7, Stream::test);
      const std::int32_t most = (1 << (bits - 1)) - 1;
      for (const NetworkNode& node : network.nodes()) {
        auto* layer = dynamic_cast<Weighted*>(node.module.get());
        if (!layer) continue;
        const std::int64_t n = layer->weight().shape().size();
        float* w = layer->weight().latent().mutable_data();
        const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(n)));
        for (std::int64_t i = 0; i < n; ++i) {
          const auto code = random.below(static_cast<std::uint32_t>(2 * most + 1));
          w[i] = static_cast<float>(static_cast<std::int32_t>(code) - most);
        }
        for (std::int64_t i = 0; i < zeros; ++i) w[(i * 7919) % n] = 0;  // 7919 is prime to n
      }
      run = tiny_config({R"(phases=[{"name": "q", "epochs": 0, "apply": ["int8"]}])",
                         "compression.int8.weights.bits=" + std::to_string(bits),
                         "compression.int8.weights.granularity=per_tensor",
                         "model[0].filters=24"});
      ActiveMethods methods(run);
      methods.begin_phase(run.phases[0], network);
      const auto values = pixel_values(tiny_digits());
      calibrate(network, tiny_digits().train, values, 1, 32,
                Pass::begin(Pass::Mode::calibrate, 1, 0));
      const IntegerForm form = lower_network(network, run, tiny_digits());
      double codes = 0, bound = 0;
      for (const integer::LayerBytes& layer : integer::coding_sizes(form.program))
        codes += static_cast<double>(layer.used());
      for (const NetworkNode& node : network.nodes()) {
        const auto* layer = dynamic_cast<Weighted*>(node.module.get());
        if (layer) bound += most_bytes(layer->weight().shape().size(), bits, sparsity);
      }
      CHECK(codes <= bound);
    }
  }
}
