// report.html of whole runs, and the numbers of layers it shows.
#include "apps/lib/run_report.h"

#include <doctest/doctest.h>

#include <cmath>
#include <regex>

#include "apps/lib/judgement.h"
#include "apps/lib/result.h"
#include "compression/prune/mask.h"
#include "framework/config/config.h"
#include "layers/weighted.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

struct Finished {
  RunConfig run;
  Trainer trainer;
  Outcome outcome;
  std::vector<LayerStatistics> layers;

  explicit Finished(const RunConfig& config) : run(config), trainer(run, tiny_digits(), {}) {
    trainer.run();
    trainer.restore_kept();
    outcome = finish(trainer.network(), run, tiny_digits(), nullptr);
    layers = layer_statistics(trainer.network(), tiny_digits().test, pixel_values(tiny_digits()));
  }
  config::Json result(double seconds = 1) {
    return result_json(run, tiny_digits(), trainer, outcome, layers, seconds);
  }
  std::string page(double seconds = 1) {
    return report::to_html(finished_page(run, tiny_digits(), trainer, outcome, layers,
                                         result(seconds), "./pare train"));
  }
};

Finished& trained() {
  static Finished finished(tiny_config({}));
  return finished;
}

// Every tag that opens closes, in the right order; what never closes is known.
void check_nesting(const std::string& html) {
  static const std::regex tag("<(/?)([a-zA-Z0-9]+)[^>]*?(/?)>");
  std::vector<std::string> open;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator();
       ++it) {
    const std::string name = (*it)[2];
    if (name == "meta" || name == "img" || name == "br" || (*it)[3].length() > 0) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    REQUIRE_FALSE(open.empty());
    REQUIRE(open.back() == name);
    open.pop_back();
  }
  CHECK(open.empty());
}

std::string without_times(const std::string& html) {
  return std::regex_replace(html, std::regex("<span class=\"time\">[^<]*</span>"), "");
}

}  // namespace

TEST_CASE("a page is complete in itself, nests well and stays small") {
  const std::string html = trained().page();
  check_nesting(html);
  for (const char* part : {"http:", "https:", "<script", "<link", "@import", "url("})
    CHECK_FALSE(contains(html, part));
  CHECK(html.size() < 200'000);
  for (const char* part : {"id=\"curves\"", "id=\"phases\"", "id=\"mistakes\"", "id=\"layers\"",
                           "id=\"weights\"", "id=\"origin\"", "./pare train", "What ships"}) {
    CAPTURE(part);
    CHECK(contains(html, part));
  }
}

TEST_CASE("equal runs have equal pages but for times") {
  Finished again(tiny_config({}));
  const std::string a = trained().page(1), b = again.page(2);
  CHECK(a != b);
  CHECK(without_times(a) == without_times(b));
}

TEST_CASE("what the config says is shown, not executed") {
  Finished hostile(tiny_config({"phases[0].name=<script>alert(1)</script>", "phases[1].epochs=0.5",
                                "phases[2].epochs=0.5"}));
  const std::string html = hostile.page();
  CHECK_FALSE(contains(html, "<script"));
  CHECK(contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  check_nesting(html);
}

TEST_CASE("the keys of the report do what they say") {
  Finished& f = trained();
  CHECK(contains(f.page(), "class=\"histogram\""));
  f.run.report.histograms = false;
  CHECK_FALSE(contains(f.page(), "class=\"histogram\""));
  f.run.report.histograms = true;
  const auto judgement = [&](std::int64_t shown) {
    return judge(f.trainer.network(), tiny_digits(), f.outcome, shown);
  };
  const report::Judgement all = judgement(1000);
  REQUIRE(all.wrong > 1);  // a network of a second's training
  CHECK(std::ssize(all.mistakes) == all.wrong);
  CHECK(judgement(1).mistakes.size() == 1);
  CHECK(judgement(0).mistakes.empty());
  CHECK(judgement(0).wrong == all.wrong);
}

TEST_CASE("the judgement is the integer engine's, and the clearest mistakes come first") {
  Finished& f = trained();
  const report::Judgement j = judge(f.trainer.network(), tiny_digits(), f.outcome, 1000);
  CHECK(j.judge == "the integer engine");
  const Verification& v = f.outcome.integer->verification;
  std::int64_t right = 0;
  for (int k = 0; k < 10; ++k) right += j.confusion.at(k, k);
  CHECK(static_cast<double>(right) / 96 == f.outcome.integer->accuracy);
  for (std::size_t i = 0; i < j.mistakes.size(); ++i) {
    const report::Mistake& m = j.mistakes[i];
    CHECK(m.predicted == v.labels[static_cast<std::size_t>(m.index)]);
    CHECK(m.truth == tiny_digits().test.labels[static_cast<std::size_t>(m.index)]);
    CHECK(m.predicted_score >= m.truth_score);
    if (i == 0) continue;
    const report::Mistake& before = j.mistakes[i - 1];
    CHECK(m.predicted_score - m.truth_score <= before.predicted_score - before.truth_score);
  }
}

TEST_CASE("layers: zeros, ranges and SQNR agree with a plain computation") {
  Finished& f = trained();
  REQUIRE(f.layers.size() == 2);
  for (const LayerStatistics& layer : f.layers) {
    CAPTURE(layer.name);
    auto& weighted = dynamic_cast<Weighted&>(*f.trainer.network().node(layer.name).module);
    Parameter& weight = weighted.weight();
    const auto& keep = dynamic_cast<const Mask&>(*weight.find(kMask)).keep();
    const NoGradient no_gradient;
    const Tensor computed = weight.value(Pass::begin(Pass::Mode::evaluate, 0, 0)).value();
    double power = 0, noise = 0, low = 0, high = 0;
    std::int64_t masked = 0, zeros = 0;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      const double x = keep[i] ? static_cast<double>(weight.latent().data()[i]) : 0;
      const auto q = static_cast<double>(computed.data()[i]);
      power += x * x;
      noise += (x - q) * (x - q);
      low = std::min(low, q);
      high = std::max(high, q);
      masked += keep[i] == 0;
      zeros += q == 0;
    }
    weight.release();
    CHECK(layer.masked == masked);
    CHECK(layer.zeros == zeros);
    CHECK(layer.weights.histogram.others() + layer.weights.histogram.zeros == std::ssize(keep));
    CHECK(*layer.weights.sqnr == doctest::Approx(10 * std::log10(power / noise)));
    CHECK(*layer.weights.sqnr > 30);  // eight bits
    CHECK(layer.range.low == low);
    CHECK(layer.range.high == high);
    CHECK(*layer.activations.sqnr > 25);
    REQUIRE(layer.activations.grid);
    CHECK(layer.activations.grid->high > layer.activations.grid->low);
  }
  CHECK(f.layers[0].activations.histogram.low > 0);  // behind a relu
  // 96 images of 12 x 12 pixels and 8 channels, before the pool.
  CHECK(f.layers[0].activations.histogram.others() + f.layers[0].activations.histogram.zeros ==
        96 * 12 * 12 * 8);
}

TEST_CASE("fewer bits, less SQNR") {
  Finished coarse(tiny_config({"compression.int8.weights={\"bits\": 4}"}));
  CHECK(*coarse.layers[0].weights.sqnr < *trained().layers[0].weights.sqnr - 15);
}

TEST_CASE("result.json lists each layer's numbers, without an integer form those that exist") {
  const config::Json with = trained().result()["layers"];
  for (const config::Json& layer : with) {
    CHECK(layer["zeros"].get<int>() >= layer["zeros_by_mask"].get<int>());
    CHECK(layer["sparsity"].get<double>() >= layer["sparsity_by_mask"].get<double>());
    for (const char* key : {"shape", "weight_bits", "range", "sqnr", "activation_range",
                            "activation_sqnr", "bytes", "macs", "effective_macs", "bops"}) {
      CAPTURE(key);
      CHECK_FALSE(layer[key].is_null());
    }
  }
  CHECK(with[0]["shape"] == config::Json({8, 5, 5, 1}));

  // A layer whose step the engine's times do not name would take no time.
  for (const config::Json& layer : with) CHECK(layer["latency_us"].get<double>() > 0);
  Finished narrow(tiny_config({R"(compression.int8.activations={"bits": 5})",
                               "phases[1].epochs=0.5", "phases[2].epochs=0.5"}));
  const config::Json narrower = narrow.result()["layers"];
  CHECK(with[0]["input_bits"] == 8);
  CHECK(with[1]["input_bits"] == 8);
  CHECK(narrower[0]["input_bits"] == 8);  // the network's input has 8 bits whatever `bits` says
  CHECK(narrower[1]["input_bits"] == 5);
  for (const config::Json* layers : {&with, &narrower}) {
    for (const config::Json& layer : *layers) {
      CHECK(layer["bops"].get<std::int64_t>() == layer["effective_macs"].get<std::int64_t>() *
                                                     layer["weight_bits"].get<int>() *
                                                     layer["input_bits"].get<int>());
    }
  }

  Finished plain(tiny_config({"report.integer=none", "phases[2].apply=[]"}));
  const config::Json without = plain.result()["layers"];
  REQUIRE(without.size() == 2);
  CHECK(without[0]["bytes"].is_null());
  CHECK(without[0]["sqnr"].is_null());
  CHECK(without[0]["sparsity_by_mask"].get<double>() > 0);
  const std::string html = plain.page();
  check_nesting(html);
  CHECK(contains(html, "report.integer is none"));
  CHECK(contains(html, "the network in float32"));
}

TEST_CASE("the matrix of a weight has a row per output channel, whatever its layout") {
  const std::vector<report::WeightMatrix> matrices = weight_matrices(trained().trainer.network());
  REQUIRE(matrices.size() == 2);
  CHECK(matrices[0].rows == 8);
  CHECK(matrices[0].columns == 25);
  const auto text = R"({"model": [
    {"kind": "depthwise_conv2d", "name": "deep", "kernel": 3, "multiplier": 2},
    {"kind": "flatten"}, {"kind": "dense", "units": 10}]})";
  const RunConfig run = config::read<RunConfig>(config::load_text(text, "x"));
  Network network = build_network(run.model, tiny_digits().train.shape, 10);
  auto& deep = dynamic_cast<Weighted&>(*network.node("deep").module).weight();
  for (std::int64_t i = 0; i < 18; ++i) deep.latent().mutable_data()[i] = static_cast<float>(i);
  const report::WeightMatrix matrix = weight_matrices(network)[0];
  CHECK(matrix.rows == 2);
  CHECK(matrix.values[1] == 2);  // [1, 3, 3, 2]: the next tap of channel 0
  CHECK(matrix.values[9] == 1);  // the first tap of channel 1
}

TEST_CASE("a run that was stopped has a page of what is known") {
  int steps = 0;
  TrainerEvents events;
  events.stop = [&] { return ++steps > 12 ? 15 : 0; };
  const RunConfig run = tiny_config({});
  Trainer trainer(run, tiny_digits(), events);
  CHECK_THROWS_AS(trainer.run(), Stopped);
  const std::string html = report::to_html(
      unfinished_page(run, tiny_digits(), trainer, "./pare train", "Stopped by <SIGTERM>."));
  check_nesting(html);
  CHECK(contains(html, "Stopped by &lt;SIGTERM&gt;."));
  CHECK(contains(html, "id=\"curves\""));
  CHECK_FALSE(contains(html, "id=\"layers\""));
}
