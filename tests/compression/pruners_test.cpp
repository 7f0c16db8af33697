// Every row of the pruner table keeps the promises of all, and each the property by which it is
// known.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compression/lower/lower.h"
#include "compression/post_training.h"
#include "compression/prune/rigl.h"
#include "framework/base/error.h"
#include "tests/compression/prune_loop.h"

namespace pare {
namespace {

// A config of the method that masks something within 30 steps.
std::string config_of(const PrunerRow& row) {
  const std::string name = R"({"method": ")" + row.name + R"(", )";
  const bool structures =
      !row.traits.granularities.empty() && row.traits.granularities[0] != PruneGranularity::element;
  const std::string what =
      structures
          ? R"("granularity": ")" +
                std::string(row.traits.granularities[0] == PruneGranularity::neuron ? "neuron"
                                                                                    : "filter") +
                R"(", )"
          : "";
  if (row.name == "rigl" || row.name == "dns")
    return name + R"("sparsity": 0.5, "regrow": {"every": 5, "until": 0.8}})";
  return name + what + R"("sparsity": {"kind": "linear", "to": 0.5, "frequency": 5}})";
}

std::int64_t zeros_of(const std::vector<std::uint8_t>& keep) {
  return std::count(keep.begin(), keep.end(), 0);
}

TEST_CASE(
    "every pruner keeps masked weights at +0 in value, gradient and moments, and reaches its "
    "target") {
  for (const PrunerRow& row : pruner_table()) {
    CAPTURE(row.name);
    PruneLoop loop(prunable_network(), config_of(row), 30);
    loop.decay = 0.01;
    const auto at_masked = [&](const Tensor& tensor, const auto& check) {
      for (std::size_t i = 0; i < loop.keep("fc.weight").size(); ++i) {
        if (!loop.keep("fc.weight")[i]) check(tensor.values()[i]);
      }
    };
    const auto is_plus_zero = [](float x) { CHECK((x == 0 && !std::signbit(x))); };
    loop.after_backward = [&] {
      if (row.traits.mask_gradient) at_masked(loop.parameter("fc.weight").grad(), is_plus_zero);
    };
    bool masked = false;
    while (loop.step_number() < 30) {
      loop.step();
      const std::vector<float> values = loop.value("fc.weight");
      at_masked(Tensor::from(loop.parameter("fc.weight").shape(), values), is_plus_zero);
      if (row.traits.mask_moments)
        at_masked(loop.moment(loop.parameter("fc.weight")), is_plus_zero);
      masked = masked || zeros_of(loop.keep("fc.weight")) > 0;
    }
    CHECK(masked);
    CHECK(loop.method().at_target());
    CHECK(zeros_of(loop.keep("fc.weight")) == 432);  // half of 864
  }
}

TEST_CASE("what a pruner masks is zero in the integer program") {
  for (const PrunerRow& row : pruner_table()) {
    CAPTURE(row.name);
    PruneLoop loop(prunable_network(), config_of(row), 30);
    loop.run();
    quantize_after_training(loop.network(), [&](const Pass& pass) {
      const NoGradient no_gradient;
      Tensor images = Tensor::persistent({16, 6, 6, 2});
      Random random(5, Stream::test);
      float* x = images.mutable_data();
      for (std::int64_t i = 0; i < images.size(); ++i) x[i] = static_cast<float>(random.normal());
      loop.network().forward(Variable(images), pass);
      loop.network().release();
    });
    const FinalNetwork final = make_final(loop.network(), integer::Rounding::twice);
    const std::vector<std::uint8_t>& keep = loop.keep("fc.weight");
    const auto& codes = final.weights.at("fc").weights.codes;
    for (std::size_t i = 0; i < keep.size(); ++i) CHECK((keep[i] || codes[i] == 0));
  }
}

// --- Each by its own property.

TEST_CASE("random: another seed, another mask; the same seed, the same one") {
  const auto mask = [](std::uint64_t seed) {
    Network network = prunable_network();
    PruneMethod method(prune_config(R"({"method": "random", "sparsity": 0.5})"),
                       Composition::mask_then_quantize);
    method.attach(network);
    MethodStep step{.span = {10, 10}, .seed = seed};
    step.applied_here = true;
    method.before_step(step);
    return method.targets()[1].keep;
  };
  CHECK(mask(1) == mask(1));
  CHECK(mask(1) != mask(2));
}

TEST_CASE("gradient: the smallest sums of |gradient| since the last change are masked") {
  PruneLoop loop(prunable_network(),
                 R"({"method": "gradient", "sparsity": {"kind": "one_shot", "to": 0.5,
                     "begin": 3, "unit": "steps"}, "include": ["fc.weight"]})",
                 10);
  std::vector<float> sums(864);
  loop.after_backward = [&] {
    const Tensor gradient = loop.parameter("fc.weight").value_grad();
    if (!gradient.defined()) return;  // all is masked that is to be
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += std::fabs(gradient.values()[i]);
  };
  for (int i = 0; i < 4; ++i) loop.step();
  std::vector<float> sorted = sums;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    CHECK(loop.keep("fc.weight")[i] == (sums[i] > sorted[431] ? 1 : 0));
  }
}

// conv - what is given - relu - pool - dense - relu - dense, with a bias in the convolution.
Network network_with(const std::string& between) {
  Network network = network_of_text(
      R"([{"name": "conv", "kind": "conv2d", "filters": 8, "kernel": 3, "padding": "same",
           "bias": true}, )" +
          between + R"({"kind": "relu"}, {"kind": "max_pool2d", "size": 2}, {"kind": "flatten"},
          {"name": "fc", "kind": "dense", "units": 12}, {"kind": "relu"},
          {"name": "last", "kind": "dense", "units": 4}])",
      {6, 6, 2});
  for (Parameter* p : network.parameters()) {
    if (p->path() == "conv.bias") std::fill_n(p->latent().mutable_data(), 8, 0.3f);
  }
  return network;
}

// What a pruner has summed up for each group of a target.
class Sums final : public StateVisitor {
 public:
  void tensor(const std::string& name, Tensor& value) override {
    if (name == "m/conv.weight/score") found.assign(value.values().begin(), value.values().end());
  }
  void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
  void integer(const std::string&, std::int64_t&) override {}
  void real(const std::string&, double&) override {}

  std::vector<float> found;
};

TEST_CASE("taylor and movement: a filter's score is what it does to the loss where it is read") {
  for (const std::string between : {R"({"kind": "batch_norm"}, )", ""}) {
    for (const std::string method : {"taylor", "movement"}) {
      CAPTURE(between);
      CAPTURE(method);
      PruneLoop loop(network_with(between),
                     R"({"method": ")" + method + R"(", "granularity": "filter",
                         "sparsity": {"kind": "one_shot", "to": 0.5, "begin": 8,
                                      "unit": "steps"}})",
                     10);
      std::vector<double> scores(8);
      loop.after_backward = [&] {
        // Relu and pool hand a factor on a channel on to the weights that read it: every eighth.
        const Parameter& reader = loop.parameter("fc.weight");
        std::vector<double> effects(8);
        for (std::size_t i = 0; i < 864; ++i) {
          effects[i % 8] += static_cast<double>(reader.grad().values()[i]) *
                            static_cast<double>(reader.latent().values()[i]);
        }
        for (std::size_t f = 0; f < 8; ++f) {
          scores[f] +=
              method == "taylor" ? std::fabs(effects[f]) : -loop.learning_rate * effects[f];
        }
      };
      for (int i = 0; i < 3; ++i) loop.step();
      Sums sums;
      loop.method().visit_state("m", sums);
      REQUIRE(sums.found.size() == 8);
      double largest = 0;
      for (const double score : scores) largest = std::max(largest, std::fabs(score));
      CHECK(largest > 1e-4);
      for (std::size_t f = 0; f < 8; ++f)
        CHECK(std::fabs(static_cast<double>(sums.found[f]) - scores[f]) < 0.01 * largest);
    }
  }
}

// Multiplies a filter's weights and gives the norm behind it another scale.
void set_filter(Network& network, const std::string& layer, const std::string& norm,
                std::size_t filter, float factor, float scale) {
  for (Parameter* p : network.parameters()) {
    float* values = p->latent().mutable_data();
    const auto each = static_cast<std::size_t>(p->shape().size() / p->channels());
    if (p->path() == norm + ".scale") values[filter] = scale;
    if (p->path() != layer + ".weight") continue;
    for (std::size_t k = 0; k < each; ++k) values[filter * each + k] *= factor;
  }
}

std::string taylor_config(const std::string& granularity, const std::string& sparsity) {
  return R"({"method": "taylor", "granularity": ")" + granularity +
         R"(", "sparsity": {"kind": "one_shot", "begin": 7, "unit": "steps", "to": )" + sparsity +
         "}}";
}

// The sum of gradient * weight of filter 2 is the largest of all, because its variance is below the
// norm's epsilon, and that of filter 5 the smallest: noise, for neither shows in what they do.
TEST_CASE("taylor: behind a batch norm a filter counts by what the norm lets through") {
  const auto kept = [](const std::string& sparsity) {
    Network network = prunable_network();
    set_filter(network, "conv", "norm", 2, 1e-3f, 0.01f);
    set_filter(network, "conv", "norm", 5, 30.0f, 8.0f);
    PruneLoop loop(std::move(network), taylor_config("filter", sparsity), 10);
    loop.learning_rate = 0;
    for (int i = 0; i < 8; ++i) loop.step();
    return loop.keep("norm.scale");
  };
  CHECK(kept("0.125") == std::vector<std::uint8_t>{1, 1, 0, 1, 1, 1, 1, 1});
  CHECK(kept("0.875") == std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 0, 0});
}

TEST_CASE("taylor: of two residual branches the one goes whose batch norm lets less through") {
  Network network = network_of_text(R"([
    {"name": "stem", "kind": "conv2d", "filters": 4, "kernel": 3, "padding": "same"},
    {"name": "r", "kind": "relu"},
    {"name": "a", "kind": "conv2d", "filters": 4, "kernel": 3, "padding": "same"},
    {"name": "na", "kind": "batch_norm"}, {"name": "sa", "kind": "add", "inputs": ["r", "na"]},
    {"name": "ra", "kind": "relu"},
    {"name": "b", "kind": "conv2d", "filters": 4, "kernel": 3, "padding": "same"},
    {"name": "nb", "kind": "batch_norm"}, {"name": "sb", "kind": "add", "inputs": ["ra", "nb"]},
    {"kind": "flatten"}, {"name": "last", "kind": "dense", "units": 4}])",
                                    {6, 6, 2});
  for (std::size_t filter = 0; filter < 4; ++filter) {
    set_filter(network, "a", "na", filter, 1e-3f, 0.01f);
    set_filter(network, "b", "nb", filter, 30.0f, 3.0f);
  }
  PruneLoop loop(std::move(network), taylor_config("residual_block", "0.5"), 10);
  loop.learning_rate = 0;
  for (int i = 0; i < 8; ++i) loop.step();
  CHECK(zeros_of(loop.keep("na.scale")) == 4);
  CHECK(zeros_of(loop.keep("nb.scale")) == 0);
}

TEST_CASE("movement: small weights that move away from zero stay, large ones that shrink go") {
  // The labels are always 0: weights towards class 0 grow, those towards class 1 fall.
  Network network =
      network_of_text(R"([{"name": "d", "kind": "dense", "units": 2, "bias": false}])", {1});
  const float values[] = {0.01f, 2.0f};
  std::copy_n(values, 2, network.parameters()[0]->latent().mutable_data());
  PruneMethod method(prune_config(R"({"method": "movement", "sparsity": {"kind": "one_shot",
                                      "to": 0.5, "begin": 1}})"),
                     Composition::mask_then_quantize);
  method.attach(network);
  for (std::int64_t s = 0; s < 5; ++s) {
    MethodStep step{.span = {5, 5}, .step = s, .applied_here = true, .learning_rate = 0.1};
    method.before_step(step);
    const std::int32_t label[] = {0};
    backward(softmax_cross_entropy(
        network.forward(Variable(Tensor::full({1, 1}, 1.0f)),
                        Pass::begin(Pass::Mode::train, 1, static_cast<std::uint64_t>(s))),
        label, 0.0f));
    method.after_backward(step);
    network.release();
    method.after_step(step);
  }
  CHECK(method.targets()[0].keep == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("geometric_median removes the filter that the others replace best, l1 the smallest") {
  const auto removed = [](const char* norm) {
    Network network = network_of_text(
        R"([{"name": "a", "kind": "dense", "units": 4, "bias": false}, {"kind": "relu"},
            {"name": "b", "kind": "dense", "units": 2}])",
        {2});
    // Three corners of a triangle, the third one short, and a point in its middle.
    const float values[] = {3, 0, 0, 3, 0.1f, 0.1f, 1, 1.1f};
    std::copy_n(values, 8, network.parameters()[0]->latent().mutable_data());
    PruneMethod method(prune_config(std::string(R"({"granularity": "neuron", "sparsity": 0.25,
                                                    "norm": ")") +
                                    norm + "\"}"),
                       Composition::mask_then_quantize);
    method.attach(network);
    MethodStep step{.span = {5, 5}};
    step.applied_here = true;
    method.before_step(step);
    const auto& keep = method.targets()[0].keep;
    return std::find(keep.begin(), keep.end(), 0) - keep.begin();
  };
  CHECK(removed("geometric_median") == 3);
  CHECK(removed("l1") == 2);
  CHECK(removed("l2") == 2);
}

TEST_CASE("apoz: a dead neuron goes first") {
  Network network = prunable_network();
  for (Parameter* p : network.parameters()) {
    if (p->path() == "fc.bias") p->latent().mutable_data()[5] = -1000;  // never active
  }
  PruneLoop loop(std::move(network),
                 R"({"method": "apoz", "granularity": "neuron", "sparsity": {"kind": "one_shot",
                     "to": 0.05, "begin": 4, "unit": "steps"}})",
                 10);
  for (int i = 0; i < 5; ++i) loop.step();
  const std::vector<std::uint8_t>& keep = loop.keep("fc.bias");
  CHECK(zeros_of(keep) == 1);
  CHECK(keep[5] == 0);
}

TEST_CASE("dns: weights come back while the mask moves, and not after `until`") {
  PruneLoop loop(prunable_network(),
                 R"({"method": "dns", "sparsity": 0.6, "include": ["fc.weight"],
                     "regrow": {"every": 2, "until": 0.5, "low": 0.95, "high": 1.05}})",
                 60);
  loop.learning_rate = 0.3;
  std::int64_t back = 0;
  std::vector<std::uint8_t> before = loop.keep("fc.weight");
  while (loop.step_number() < 60) {
    loop.step();
    const std::vector<std::uint8_t>& keep = loop.keep("fc.weight");
    for (std::size_t i = 0; i < keep.size(); ++i) back += keep[i] && !before[i];
    if (loop.step_number() > 30) CHECK(keep == before);
    CHECK(loop.method().at_target() == (loop.step_number() > 28));  // the last change: step 28
    before = keep;
  }
  CHECK(back > 0);
  CHECK(zeros_of(before) == 519);  // ceil(0.6 * 864): exact on the last change
}

TEST_CASE("dns: the threshold mean + c * deviation splits a layer as its formula says") {
  Network network =
      network_of_text(R"([{"name": "d", "kind": "dense", "units": 2, "bias": false}])", {4});
  const float values[] = {1, -2, 3, -4, 5, -6, 7, -8};  // |w|: mean 4.5, deviation sqrt(5.25)
  std::copy_n(values, 8, network.parameters()[0]->latent().mutable_data());
  PruneMethod method(
      prune_config(R"({"method": "dns", "regrow": {"c": 0.5, "low": 1, "high": 1}})"),
      Composition::mask_then_quantize);
  method.attach(network);
  MethodStep step{.span = {100, 100}};
  step.applied_here = true;
  method.before_step(step);  // threshold 5.65
  CHECK(method.targets()[0].keep == std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 1, 1});
}

TEST_CASE("dns by a threshold, and soft: at the target only when the mask stays") {
  for (const char* amount : {R"("threshold": 0.1, "regrow": {"every": 2, "until": 0.5})",
                             R"("regrow": {"every": 2, "until": 0.5, "c": 0.2})"}) {
    PruneLoop loop(prunable_network(), fmt::format(R"({{"method": "dns", {}}})", amount), 20);
    while (loop.step_number() < 20) {
      loop.step();
      CHECK(loop.method().at_target() == (loop.step_number() > 8));  // the last change: step 8
    }
  }
  PruneLoop loop(prunable_network(),
                 R"({"method": "soft", "sparsity": 0,
                     "factor": {"kind": "linear", "from": 1, "to": 0, "end": 0.5}})",
                 20);
  loop.step();
  CHECK_FALSE(loop.method().at_target());
  loop.run();
  CHECK(loop.method().at_target());
}

TEST_CASE("rigl: the mask changes at constant sparsity, new weights begin at zero") {
  PruneLoop loop(prunable_network(),
                 R"({"method": "rigl", "sparsity": 0.8, "regrow": {"every": 4, "until": 0.5}})",
                 60);
  loop.step();
  std::vector<std::uint8_t> before = loop.keep("fc.weight");
  CHECK(zeros_of(before) == 692);
  std::int64_t grown = 0;
  while (loop.step_number() < 60) {
    loop.step();
    const std::vector<std::uint8_t>& keep = loop.keep("fc.weight");
    CHECK(zeros_of(keep) == 692);
    const std::vector<float> values = loop.value("fc.weight");
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (!keep[i] || before[i]) continue;
      ++grown;
      CHECK(values[i] == 0);
    }
    if (loop.step_number() > 30) CHECK(keep == before);
    before = keep;
  }
  CHECK(grown > 20);
}

TEST_CASE("rigl: a weight that is dropped and grows again in the same change keeps its value") {
  const std::vector<float> before = {0.5f, 1.0f, 0.01f, 1.2f, 0.02f, 0.03f};  // 3 outputs, 2 inputs
  const auto check = [&](std::int32_t label, const std::vector<std::uint8_t>& keep,
                         const std::vector<float>& after) {
    Network network =
        network_of_text(R"([{"name": "d", "kind": "dense", "units": 3, "bias": false}])", {2});
    Parameter& weight = *network.parameters()[0];
    std::copy_n(before.data(), 6, weight.latent().mutable_data());
    PruneMethod method(prune_config(R"({"method": "rigl", "sparsity": 0.5,
                                        "regrow": {"every": 1, "until": 1, "fraction": 0.5}})"),
                       Composition::mask_then_quantize);
    method.attach(network);
    const float image[] = {3, 1};
    const std::int32_t labels[] = {label};
    for (std::int64_t s = 0; s < 2; ++s) {  // the first mask, then one of three weights moves
      const MethodStep step{.span = {4, 4}, .step = s, .applied_here = true};
      method.before_step(step);
      backward(softmax_cross_entropy(
          network.forward(Variable(Tensor::from({1, 2}, image)),
                          Pass::begin(Pass::Mode::train, 1, static_cast<std::uint64_t>(s))),
          labels, 0.0f));
      method.after_backward(step);
      network.release();
      method.after_step(step);
    }
    CHECK(method.targets()[0].keep == keep);
    CHECK(std::vector<float>(weight.latent().values().begin(), weight.latent().values().end()) ==
          after);
  };
  // 0.5 is the smallest of those that are kept. Its own gradient is the largest, or the one below.
  check(0, {1, 1, 0, 1, 0, 0}, before);
  check(1, {0, 1, 1, 1, 0, 0}, {0.5f, 1.0f, 0.0f, 1.2f, 0.02f, 0.03f});
}

TEST_CASE("rigl: Erdos-Renyi-kernel densities follow their formula and keep the whole sparsity") {
  const std::vector<Shape> shapes = {{6, 5, 5, 1}, {16, 5, 5, 6}, {120, 256}, {10, 120}};
  const std::vector<double> densities = erdos_renyi_densities(shapes, 0.8);
  double kept = 0, all = 0;
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    const auto n = static_cast<double>(shapes[t].size());
    kept += densities[t] * n;
    all += n;
  }
  CHECK(kept / all == doctest::Approx(0.2));
  CHECK(densities[0] == 1.0);  // (1 + 6 + 5 + 5) / 150 times epsilon is above 1
  // Of the layers that are not full, densities are to each other as (n_in + n_out + k_h + k_w) / n.
  const double a = (6 + 16 + 5 + 5) / 2400.0, b = (120 + 256) / 30720.0;
  CHECK(densities[1] / densities[2] == doctest::Approx(a / b));
}

TEST_CASE("soft: nothing is masked before the end, what scores lowest decays by alpha") {
  PruneLoop loop(prunable_network(),
                 R"({"method": "soft", "sparsity": 0.5, "include": ["fc.weight"],
                     "factor": {"kind": "linear", "from": 0.5, "to": 0, "frequency": 5}})",
                 20);
  loop.learning_rate = 0;
  const Tensor latent = loop.parameter("fc.weight").latent().clone();
  loop.step();
  std::int64_t halved = 0;
  for (std::size_t i = 0; i < 864; ++i) {
    const float w = loop.parameter("fc.weight").latent().values()[i];
    halved += w == 0.5f * latent.values()[i];
  }
  CHECK(halved == 432);
  while (loop.step_number() < 19) {
    loop.step();
    CHECK(zeros_of(loop.keep("fc.weight")) == 0);
    CHECK_FALSE(loop.method().at_target());
  }
  loop.step();
  CHECK(zeros_of(loop.keep("fc.weight")) == 432);
  CHECK(loop.method().at_target());
}

TEST_CASE("n_m: every window of M inputs keeps N, the largest") {
  PruneLoop loop(prunable_network(),
                 R"({"granularity": "n_m", "pattern": "1:3", "exclude": ["last.weight"]})", 5);
  const std::vector<float> w = loop.value("fc.weight");
  loop.step();
  const std::vector<std::uint8_t>& keep = loop.keep("fc.weight");
  for (std::size_t i = 0; i < keep.size(); i += 3) {
    const auto largest = std::max_element(
        w.begin() + static_cast<std::ptrdiff_t>(i), w.begin() + static_cast<std::ptrdiff_t>(i + 3),
        [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    for (std::size_t k = i; k < i + 3; ++k) {
      CHECK(keep[k] == (static_cast<std::ptrdiff_t>(k) == largest - w.begin() ? 1 : 0));
    }
  }
}

TEST_CASE("block: whole blocks go, those of the smallest norm") {
  PruneLoop loop(prunable_network(),
                 R"({"granularity": "block", "block_size": [4, 6], "sparsity": 0.5,
                     "include": ["fc.weight"]})",
                 5);
  const std::vector<float> w = loop.value("fc.weight");  // [12, 72]
  loop.step();
  const std::vector<std::uint8_t>& keep = loop.keep("fc.weight");
  double largest_pruned = 0, smallest_kept = 1e9;
  for (std::size_t r = 0; r < 12; r += 4) {
    for (std::size_t c = 0; c < 72; c += 6) {
      double sum = 0;
      for (std::size_t k = 0; k < 24; ++k) {
        const std::size_t i = (r + k / 6) * 72 + c + k % 6;
        sum += std::fabs(static_cast<double>(w[i]));
        CHECK(keep[i] == keep[r * 72 + c]);
      }
      if (keep[r * 72 + c])
        smallest_kept = std::min(smallest_kept, sum);
      else
        largest_pruned = std::max(largest_pruned, sum);
    }
  }
  CHECK(zeros_of(keep) == 432);
  CHECK(largest_pruned <= smallest_kept);
}

}  // namespace
}  // namespace pare
