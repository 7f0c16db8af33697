// Networks that train with a codebook, also beside pruning: centroids move, latent weights stay.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "compression/quantize_method.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

constexpr std::int64_t kSteps = 160, kStepsPerEpoch = 20;

QuantizeMethod codebook(const std::string& keys) {
  const std::string text =
      R"({"activations": null, "weights": {"quantizer": "codebook", )" + keys + "}}";
  return {config::read<QuantizeConfig>(config::load_text(text, "x")),
          Composition::mask_then_quantize};
}

MethodStep at(std::int64_t step) {
  MethodStep result;
  result.span = {kSteps, static_cast<double>(kStepsPerEpoch)};
  result.step = step;
  result.applied_here = true;
  return result;
}

std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

struct Examples {
  Tensor images;
  std::vector<std::int32_t> labels;
};

// 32 points around the first four corners of a simplex in 12 dimensions.
Examples examples(std::uint64_t number) {
  Random random(1, Stream::test, number);
  Examples result{Tensor::persistent({32, 12}), {}};
  float* x = result.images.mutable_data();
  for (std::int64_t i = 0; i < 32 * 12; ++i) x[i] = static_cast<float>(random.normal());
  for (std::int64_t b = 0; b < 32; ++b) {
    result.labels.push_back(static_cast<std::int32_t>(random.below(4)));
    x[b * 12 + result.labels.back()] += 2;
  }
  return result;
}

// Two dense layers, and SGD with momentum on everything that has a gradient.
class Training {
 public:
  Training()
      : network_(network_of_text(R"([{"name": "a", "kind": "dense", "units": 16}, {"kind": "relu"},
                                     {"name": "b", "kind": "dense", "units": 4}])",
                                 {12})) {
    for (int i = 0; i < 150; ++i) step(0.05f);
  }

  Network& network() { return network_; }

  void step(float rate) {
    const Examples batch = examples(step_);
    const Variable logits =
        network_.forward(Variable(batch.images), Pass::begin(Pass::Mode::train, 1, step_++));
    backward(softmax_cross_entropy(logits, batch.labels));
    network_.visit_parameters([&](Parameter& p) { move(p, rate); });
    network_.release();
  }

  // Of batches that training never sees.
  double loss() {
    const NoGradient no_gradient;
    double sum = 0;
    const Pass pass = Pass::begin(Pass::Mode::evaluate, 1, 0);
    for (std::uint64_t number = 0; number < 20; ++number) {
      const Examples batch = examples(1000000 + number);
      const Variable logits = network_.forward(Variable(batch.images), pass);
      sum += static_cast<double>(softmax_cross_entropy(logits, batch.labels).value().item()) / 20;
    }
    network_.release();
    return sum;
  }

  std::map<std::string, std::vector<float>> latents() {
    std::map<std::string, std::vector<float>> result;
    for (Parameter* p : network_.parameters()) {
      if (p->role() == "weight") result[p->path()] = values_of(p->latent());
    }
    return result;
  }

 private:
  void move(Parameter& p, float rate) {
    const std::vector<float> g = p.grad().defined() ? values_of(p.grad()) : std::vector<float>();
    p.release();
    if (g.empty()) return;
    std::vector<float>& v = moments_[&p];
    v.resize(g.size());
    float* w = p.latent().mutable_data();
    for (std::size_t i = 0; i < g.size(); ++i) {
      v[i] = 0.9f * v[i] + g[i];
      w[i] -= rate * v[i];
    }
  }

  Network network_;
  std::uint64_t step_ = 0;
  std::map<const Parameter*, std::vector<float>> moments_;
};

// Which weight belongs to which entry.
struct Members final : StateVisitor {
  std::map<std::string, std::vector<std::uint8_t>> of;
  void tensor(const std::string&, Tensor&) override {}
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    if (name.ends_with("/members")) of[name] = value;
  }
  void integer(const std::string&, std::int64_t&) override {}
  void real(const std::string&, double&) override {}
};

Members members_of(const Network& network) {
  Members members;
  network.visit_state(members);
  return members;
}

TEST_CASE("with a codebook the loss falls, whether weights may change their clusters or not") {
  for (const std::string reassign : {"never", "epoch"}) {
    CAPTURE(reassign);
    Training training;
    QuantizeMethod method =
        codebook(R"("levels": 4, "init": "density", "granularity": "per_tensor", "reassign": ")" +
                 reassign + '"');
    method.attach(training.network());
    const auto latents = training.latents();
    const double before = training.loss();
    const auto members = members_of(training.network()).of;
    REQUIRE(members.size() == 2);
    for (std::int64_t step = 0; step < kSteps; ++step) {
      method.before_step(at(step));
      training.step(0.003f);
      if ((step + 1) % kStepsPerEpoch == 0) CHECK(training.loss() < before + 0.01);
    }
    CHECK(training.loss() < before);
    CHECK((members_of(training.network()).of == members) == (reassign == "never"));
    CHECK(training.latents() == latents);
  }
}

TEST_CASE("a pruner beside a codebook ranks the weights that were there before it") {
  Training training;
  QuantizeMethod quantize = codebook(R"("levels": 8)");
  PruneMethod prune(
      prune_config(R"({"sparsity": {"kind": "linear", "to": 0.5, "end": 0.5, "frequency": 10}})"),
      Composition::mask_then_quantize);
  quantize.attach(training.network());
  prune.attach(training.network());
  const auto latents = training.latents();
  for (std::int64_t step = 0; step < kSteps; ++step) {
    quantize.before_step(at(step));
    prune.before_step(at(step));
    training.step(0.003f);
    prune.after_step(at(step));
  }
  CHECK(prune.at_target());
  CHECK(training.latents() == latents);
  CHECK(training.loss() < 1);  // ln 4 = 1.39 for whoever knows nothing
}

TEST_CASE("weights that grow again beside a codebook are of use") {
  for (const std::string method : {"rigl", "dns"}) {
    CAPTURE(method);
    PruneLoop loop(
        prunable_network(),
        R"({"method": ")" + method + R"(", "sparsity": 0.5, "regrow": {"every": 5, "until": 0.8}})",
        30);
    QuantizeMethod quantize = codebook(R"("levels": 32)");
    quantize.attach(loop.network());
    loop.step();
    const std::vector<std::uint8_t> first = loop.keep("fc.weight");
    loop.run();
    const std::vector<std::uint8_t>& last = loop.keep("fc.weight");
    const std::vector<float> value = loop.value("fc.weight");
    std::int64_t grown = 0, at_work = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      grown += !first[i] && last[i];
      at_work += !first[i] && last[i] && value[i] != 0;
    }
    CAPTURE(grown);
    CHECK(at_work > 0);
  }
}

}  // namespace
}  // namespace pare
