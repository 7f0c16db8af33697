// What is said to change nothing changes nothing: against runs of 100 random configs.
#include "apps/lib/null_order.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "framework/config/config.h"
#include "framework/random.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

constexpr const char* kBase = R"({
  "name": "tiny",
  "dataset": { "kind": "digits", "batch_size": 16 },
  "model": [
    { "kind": "conv2d", "name": "conv", "filters": 3, "kernel": 7, "stride": 5, "activation": "relu" },
    { "kind": "flatten" },
    { "kind": "dense", "name": "last", "units": 10 }
  ],
  "optimizer": { "kind": "adam", "learning_rate": 0.02 },
  "compression": { "p": { "kind": "prune", "sparsity": 0.5 }, "q": { "kind": "quantize" } },
  "phases": [
    { "name": "a", "steps": 2 },
    { "name": "b", "steps": 4, "apply": ["q", "p"] },
    { "name": "c", "steps": 3 }
  ]
})";

RunConfig run_with(const std::vector<std::string>& sets) {
  return config::read<RunConfig>(config::load_text(kBase, "tiny", sets));
}

const Dataset& few_digits() {
  static const Dataset few = [] {
    Dataset data = tiny_digits();
    const auto keep = [](Images& images, std::size_t count) {
      images.labels.resize(count);
      images.pixels.resize(count * static_cast<std::size_t>(images.shape.size()));
    };
    keep(data.train, 64);
    keep(data.validation, 16);
    keep(data.test, 16);
    return data;
  }();
  return few;
}

std::string bits_of(const RunConfig& run) {
  Trainer trainer(run, few_digits(), {});
  trainer.run();
  return end_bits(trainer, run, few_digits());
}

// Assignments that choose one of the values of every switch that matters.
std::vector<std::string> random_sets(std::uint64_t seed) {
  Random random(seed, Stream::test);
  const auto pick = [&](const std::string& key, const std::vector<std::string>& values) {
    return key + "=" + values[random.below(static_cast<std::uint32_t>(values.size()))];
  };
  std::vector<std::string> sets = {
      pick("composition", {"mask_then_quantize", "quantize_then_mask"}),
      pick("compression.p.method", {"magnitude", "magnitude", "random"}),
      pick("compression.p.ties", {"latent", "index", "random"}),
      pick("compression.p.scope", {"layer", "global"}),
      pick("compression.p.mask_gradient", {"true", "null", "false"}),
      pick("compression.p.mask_moments", {"true", "false"}),
      pick("compression.q.weights.observe", {"masked", "dense", "survivors"}),
      pick("compression.q.weights.observer", {"min_max", "max_abs", "ema_min_max"}),
      pick("compression.q.weights.granularity", {"per_channel", "per_tensor"}),
      pick("compression.q.weights.scheme", {"symmetric", "affine"}),
      pick("compression.q.weights.bits", {"2", "3", "4", "8"}),
      pick("compression.q.error_penalty", {"0", "0", "0", "0.1"}),
      pick("compression.q.freeze_observers_at", {"null", "null", "0"}),
      pick("compression.q.first_last_bits", {"null", "null", "8"}),
      pick("optimizer.kind", {"adam", "sgd"}),
      pick("optimizer.weight_decay", {"0", "0.1"}),
      pick("seed", {"1", "2", "3"})};
  const std::uint32_t order = random.below(5);
  if (order == 0) sets.emplace_back(R"(phases[1].apply=["p", "q"])");
  if (order == 1) sets.emplace_back(R"(phases[1].apply=["p"])");
  if (order == 1) sets.emplace_back(R"(phases[2].apply=["q"])");
  if (order == 2) sets.emplace_back(R"(phases[1].apply=["p"])");
  if (order == 2) sets.emplace_back(R"(phases[2].release=["p"])");
  if (order == 2) sets.emplace_back(R"(phases[2].apply=["q"])");
  const bool ranks =
      std::find(sets.begin(), sets.end(), "compression.p.method=random") == sets.end();
  if (order > 2 && ranks)
    sets.push_back(pick("compression.p.score", {"latent", "fake_quant", "int_code"}));
  return sets;
}

const NullSwitch* claim_of(const std::vector<NullSwitch>& claims, const std::string& key) {
  const auto found = std::find_if(claims.begin(), claims.end(),
                                  [&](const NullSwitch& claim) { return claim.key == key; });
  return found == claims.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("no claim is false on 100 random configs") {
  int claims_made = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::vector<std::string> sets = random_sets(seed);
    CAPTURE(sets);
    const RunConfig run = run_with(sets);
    const std::vector<NullSwitch> claims = null_switches(run);
    if (claims.empty()) continue;
    const std::string bits = bits_of(run);
    for (const NullSwitch& claim : claims) {
      INFO(to_text(claim));
      bool own = false;
      for (const std::string& value : claim.values) {
        const RunConfig other = with_switch(run, claim.key, value);
        own = own || config::write(other) == config::write(run);
        CHECK(bits_of(other) == bits);
        ++claims_made;
      }
      CHECK(own);  // the config's own value is one of them
    }
  }
  MESSAGE(claims_made, " claimed values compared");
  CHECK(claims_made > 100);
}

TEST_CASE("the orders that theory calls equal are found") {
  const auto claims = [](const std::vector<std::string>& sets) {
    return null_switches(run_with(sets));
  };
  // Latent scores, largest weight as scale, taken from the unpruned weight: the order is no order.
  CHECK(claim_of(claims({"compression.q.weights.observe=dense"}), "composition"));
  CHECK(claim_of(claims({"compression.q.weights.observe=survivors"}), "composition"));
  // The range that arrives depends on the order.
  CHECK_FALSE(claim_of(claims({}), "composition"));
  CHECK(claim_of(claims({}), "compression.q.weights.observe"));
  CHECK(claim_of(claims({}), "compression.p.ties"));
  // Codes of channels are in units of their own.
  CHECK_FALSE(claim_of(claims({"compression.p.score=int_code"}), "compression.p.score"));
  CHECK(claim_of(
      claims({"compression.p.score=int_code", "compression.q.weights.granularity=per_tensor"}),
      "compression.p.score"));
  CHECK(claim_of(claims({R"(phases[1].apply=["p"])", R"(phases[2].release=["p"])",
                         R"(phases[2].apply=["q"])"}),
                 "composition"));
}

TEST_CASE("where weights have gradients of their own, the order is no null order") {
  // A penalty on the rounding error pulls at what enters the quantizer: at pruned weights too,
  // where the mask stands behind it.
  const std::vector<std::string> plain = {"compression.q.weights.observe=dense"};
  const RunConfig run = run_with(plain);
  REQUIRE(claim_of(null_switches(run), "composition"));
  CHECK(bits_of(run) == bits_of(with_switch(run, "composition", "quantize_then_mask")));
  const RunConfig penalized =
      run_with({"compression.q.weights.observe=dense", "compression.q.error_penalty=0.1"});
  CHECK_FALSE(claim_of(null_switches(penalized), "composition"));
  CHECK(bits_of(penalized) != bits_of(with_switch(penalized, "composition", "quantize_then_mask")));
}

TEST_CASE("the comparison of bits finds a claim that is false") {
  const RunConfig run = run_with({});
  CHECK(check_null_switches(run, few_digits(), null_switches(run)));
  const NullSwitch wrong{"compression.p.score", {"latent", "int_code"}, "somebody said so"};
  const std::string message = error_of([&] { check_null_switches(run, few_digits(), {wrong}); });
  CHECK(contains(message, "compression.p.score=int_code was said to change nothing"));
}
