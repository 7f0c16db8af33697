// Pruners, quantizers and shrink in whole runs: what is stopped and resumed ends with the same bits, lottery
// tickets begin where they should, checkpoints hold the shrunk network.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/lib/pruning_result.h"
#include "compression/prune/mask.h"
#include "compression/prune/pruner.h"
#include "compression/quantize/quantizer.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

std::string method(const std::string& keys) {
  return R"(compression.prune={"_delete_": true, "kind": "prune", )" + keys + "}";
}

std::string method_of(const PrunerRow& row) {
  const std::string name = R"("method": ")" + row.name + R"(", )";
  if (row.name == "rigl" || row.name == "dns")
    return method(name + R"("sparsity": 0.5, "regrow": {"every": 3})");
  const bool structures = row.name == "apoz" || row.name == "taylor";
  return method(name + (structures ? R"("granularity": "filter", )" : "") +
                R"("sparsity": {"kind": "linear", "to": 0.5, "frequency": 3})");
}

// Stopped in the middle of the method's phase, and behind it.
void check_resumable(const RunConfig& run) {
  const TinyRun::End whole = TinyRun(run).end();
  check_resumes(run, whole, {11, 17, 30});
}

std::vector<float> latent(Network& network, const std::string& path) {
  return values_of(parameter(network, path).latent());
}

}  // namespace

TEST_CASE("with every pruner a run that is stopped and resumed ends with the same bits") {
  for (const PrunerRow& row : pruner_table()) {
    CAPTURE(row.name);
    check_resumable(tiny_config({method_of(row)}));
  }
}

TEST_CASE("with every quantizer of weights a run that is stopped and resumed ends with the same bits") {
  for (const QuantizerRow& row : quantizer_table()) {
    if (!row.weights) continue;
    CAPTURE(row.name);
    check_resumable(tiny_config({"compression.int8.weights.quantizer=" + row.name,
                                 R"(phases[1].apply=["int8"])", R"(phases[2].apply=[])"}));
  }
}

TEST_CASE("lottery ticket: the survivors begin each round with their early weights") {
  const std::string rewind = R"("rewind": {"to": 0.5, "rounds": 3, "per_round": 0.5})";
  TinyRun early(tiny_config({method(rewind)}), 4);  // half an epoch of 8 updates
  CHECK_THROWS_AS(early.train(), Stopped);
  TinyRun run(tiny_config({method(rewind), "phases[1].optimizer.learning_rate=0",
                           R"(phases[2]={"_delete_": true, "name": "end", "steps": 1,
                                         "optimizer": {"learning_rate": 0}})"}));
  run.train();
  for (const char* path : {"conv.weight", "last.weight", "last.bias"}) {
    CAPTURE(path);
    CHECK(latent(run.trainer().network(), path) == latent(early.trainer().network(), path));
  }
  const auto& mask =
      dynamic_cast<Mask&>(*parameter(run.trainer().network(), "last.weight").find(kMask));
  const auto size = static_cast<double>(mask.keep().size());
  CHECK(static_cast<double>(mask.pruned()) / size == doctest::Approx(0.875).epsilon(0.01));
  check_resumable(tiny_config({method(rewind)}));
}

TEST_CASE("lottery ticket: every round trains with the whole learning rate, resumed or not") {
  const RunConfig run = tiny_config(
      {method(R"("rewind": {"to": 0.5, "rounds": 3, "per_round": 0.5})"),
       R"(phases[1].optimizer.learning_rate={"kind": "cosine", "from": 0.01, "to": 0.001})"});
  TinyRun whole(run);
  whole.train();
  // Rounds of 5, 5 and 6 updates. Epochs end in the middle of the second and with the last.
  const std::vector<EpochRow>& rows = whole.trainer().state().rows;
  CHECK(rows[1].learning_rate == doctest::Approx((0.01 + 0.001) / 2));
  CHECK(rows[2].learning_rate == 0.001);
  check_resumable(run);
}

TEST_CASE("pruned factors are counted, and not the weight that they stand for") {
  for (const char* include : {"*", "last_in.weight"}) {
    CAPTURE(include);
    const RunConfig run = tiny_config(
        {R"(compression.low={"kind": "factorize", "rank": 4, "include": ["last.weight"]})",
         method(R"("sparsity": 0.5, "include": [")" + std::string(include) + R"("])"),
         R"(phases[1].apply=["low", "prune"])", R"(phases[2].apply=["int8"])"});
    TinyRun whole(run);
    whole.train();
    const config::Json pruning = pruning_json(run, tiny_digits(), whole.trainer().network());
    REQUIRE(pruning.size() == 1);
    CHECK(pruning[0]["pruned"].get<double>() == doctest::Approx(0.5).epsilon(0.01));
    for (const config::Json& layer : pruning[0]["layers"]) {
      CHECK(layer["name"] != "last.weight");
      CHECK(layer["pruned"].get<double>() == doctest::Approx(0.5).epsilon(0.05));
    }
  }
}

TEST_CASE("a shrunk run: fewer channels in checkpoint and result, resumable at any point") {
  const RunConfig run = tiny_config({method(R"("granularity": "filter", "sparsity": 0.5)"),
                                     R"(compression.small={"kind": "shrink"})",
                                     R"(phases[2].apply=["small", "int8"])"});
  TinyRun whole(run);
  const TinyRun::End end = whole.end();
  Network& network = whole.trainer().network();
  CHECK(network.macs() < build_network(run.model, tiny_digits().train.shape, 10).macs());
  Network loaded = network_of(load_checkpoint(whole.last()), "last");
  CHECK(loaded.parameter_count() == network.parameter_count());
  const Outcome outcome = finish(network, run, tiny_digits(), nullptr);
  CHECK(outcome.integer->verification.differing == 0);
  const integer::Program& after = outcome.integer->program;  // any program has a latency
  const config::Json shrink = shrink_json(run, tiny_digits(), network, outcome, &after);
  CHECK(shrink["latency_us"]["before"] > 0);
  CHECK(shrink["latency_us"]["after"] > 0);
  CHECK(shrink["macs"]["after"] == network.macs());
  CHECK(shrink["macs"]["before"] > shrink["macs"]["after"]);
  const config::Json pruning = pruning_json(run, tiny_digits(), network);
  CHECK(pruning[0]["asked"] == 0.5);
  CHECK(pruning[0]["pruned"] == 0.5);
  check_resumes(run, end, {20, 25, 33});  // before, at and behind the phase that shrinks
}
