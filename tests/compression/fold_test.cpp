// Batch norms folded into weights: the same function, and what cannot be folded.
#include "compression/fold.h"

#include <doctest/doctest.h>

#include <cmath>

#include "compression/attach.h"
#include "compression/quantize_method.h"
#include "framework/base/error.h"
#include "layers/weighted.h"
#include "tests/compression/draws.h"
#include "tests/compression/evaluated.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

// Statistics and scales as training leaves them.
Network trained() {
  Network network = network_of_text(R"([
    {"name": "conv", "kind": "conv2d", "filters": 6, "kernel": 3},
    {"name": "n1", "kind": "batch_norm"}, {"name": "r1", "kind": "relu"},
    {"name": "depth", "kind": "depthwise_conv2d", "kernel": 3, "bias": true},
    {"name": "n2", "kind": "batch_norm"}, {"name": "r2", "kind": "relu"},
    {"name": "n3", "kind": "batch_norm"}, {"name": "flat", "kind": "flatten"},
    {"name": "last", "kind": "dense", "units": 3}])",
                                    {8, 8, 2});
  {
    const NoGradient no_gradient;
    network.forward(Variable(random_tensor({16, 8, 8, 2}, 1)),
                    Pass::begin(Pass::Mode::train, 1, 0));
  }
  network.release();
  for (Parameter* p : network.parameters()) {
    const Tensor noise = random_tensor(p->shape(), name_hash(p->path()));
    for (std::int64_t i = 0; i < noise.size(); ++i)
      p->latent().mutable_data()[i] += 0.3f * noise.data()[i];
  }
  return network;
}

}  // namespace

TEST_CASE("folding changes the layers and not the function; a lone batch norm stays") {
  Network network = trained();
  const Tensor x = random_tensor({5, 8, 8, 2}, 2);
  const Tensor before = evaluated(network, x);
  Network folded = fold_batch_norms(network);
  CHECK(folded.find("n1") == nullptr);
  CHECK(folded.find("n2") == nullptr);
  CHECK(folded.find("n3") != nullptr);
  CHECK(dynamic_cast<Weighted&>(*folded.node("conv").module).bias() != nullptr);
  const Tensor after = evaluated(folded, x);
  for (std::int64_t i = 0; i < before.size(); ++i)
    CHECK(after.data()[i] == doctest::Approx(before.data()[i]).epsilon(1e-4));
}

TEST_CASE("a mask of single weights survives folding, one of filters is refused") {
  for (const bool structures : {false, true}) {
    Network network = trained();
    PruneMethod prune(prune_config(structures ? R"({"granularity": "filter", "sparsity": 0.5})"
                                              : R"({"sparsity": 0.5, "include": ["conv.weight"]})"),
                      Composition::mask_then_quantize);
    prune.attach(network);
    MethodStep step{.span = {1, 1}};
    step.applied_here = true;
    prune.before_step(step);
    if (structures) {
      CHECK_THROWS_AS(fold_batch_norms(network), ConfigError);
      continue;
    }
    const Tensor x = random_tensor({5, 8, 8, 2}, 2);
    const Tensor before = evaluated(network, x);
    Network folded = fold_batch_norms(network);
    const auto& layer = dynamic_cast<Weighted&>(*folded.node("conv").module);
    const auto* mask = dynamic_cast<const Mask*>(layer.weight().find(kMask));
    REQUIRE(mask != nullptr);
    CHECK(mask->pruned() == 54);  // half of 6 x 3 x 3 x 2
    const Tensor after = evaluated(folded, x);
    for (std::int64_t i = 0; i < before.size(); ++i)
      CHECK(after.data()[i] == doctest::Approx(before.data()[i]).epsilon(1e-4));
  }
}

}  // namespace pare
