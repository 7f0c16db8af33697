// How the random configs are drawn. Rare kinds are drawn often enough that 300 configs hold
// several of each; a few configs are wrong on purpose (no flatten, a wrong number of classes).
#include "tests/apps/random_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compression/quantize/quantizer.h"
#include "datasets/load.h"
#include "framework/random.h"

namespace pare {
namespace {

using config::Json;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed, Stream::test) {}

  bool chance(int percent) { return between(0, 99) < percent; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + random_.below(static_cast<std::uint32_t>(high - low + 1));
  }
  Json one_of(const std::vector<Json>& values) {
    return values[static_cast<std::size_t>(between(0, std::ssize(values) - 1))];
  }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(random_.uniform());
  }

 private:
  Random random_;
};

// --- Data: noise around one picture per class.

Images noise(Draw& draw, const Shape& shape, int classes, std::int64_t count) {
  Images images;
  images.shape = shape;
  for (std::int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<std::int32_t>(i % classes));
    for (std::int64_t k = 0; k < shape.size(); ++k) {
      const std::int64_t picture = (i % classes * 37 + k * (i % classes + 3)) % 200;
      images.pixels.push_back(static_cast<std::uint8_t>(picture + draw.between(0, 55)));
    }
  }
  return images;
}

Dataset make_data(Draw& draw) {
  struct Kind {
    Shape shape;
    int classes;
  };
  const std::vector<Kind> kinds = {{{28, 28, 1}, 10}, {{16, 16, 3}, 10}, {{12, 9, 2}, 3},
                                   {{8, 8, 1}, 2},    {{1, 20, 1}, 4},   {{10, 10, 3}, 100}};
  const Kind& kind = kinds[static_cast<std::size_t>(draw.between(0, std::ssize(kinds) - 1))];
  Dataset data;
  data.kind = "random";
  data.source = "drawn for tests";
  data.classes = kind.classes;
  data.train = noise(draw, kind.shape, kind.classes, 48);
  data.validation = noise(draw, kind.shape, kind.classes, draw.chance(70) ? 16 : 0);
  data.test = noise(draw, kind.shape, kind.classes, 16);
  if (draw.chance(80)) {
    data.mean.assign(static_cast<std::size_t>(kind.shape[2]), 0.4f);
    data.std_dev.assign(static_cast<std::size_t>(kind.shape[2]), 0.3f);
  }
  data.hash = hash_of(data);
  return data;
}

// --- Configs.

Json schedule(Draw& draw, double low, double high, bool sparsity) {
  if (draw.chance(30)) return draw.real(low, high);
  Json json = {{"kind", draw.one_of({"constant", "one_shot", "linear", "polynomial", "exponential",
                                     "cosine", "step", "one_cycle"})}};
  const std::string kind = json["kind"];
  const double a = draw.real(low, high), b = draw.real(low, high);
  json["from"] = sparsity ? std::min(a, b) : a;
  if (kind == "step") {
    json["at"] = {0.3, draw.real(0.4, 0.9)};
    json["gamma"] = draw.real(0.1, 1);
    return json;
  }
  if (kind == "constant") return json;
  json["to"] = sparsity ? std::max(a, b) : b;
  if (kind != "one_shot" && draw.chance(50)) json["end"] = draw.real(0.5, 1);
  if (kind == "one_cycle")
    json["warmup"] = draw.real(0.1, 0.4);
  else if (draw.chance(30))
    json["warmup"] = draw.real(0, 0.4);
  if (kind == "polynomial" && draw.chance(50)) json["power"] = draw.real(0.5, 4);
  if (kind != "one_shot" && draw.chance(50)) json["frequency"] = draw.between(1, 3);
  return json;
}

Json optimizer(Draw& draw) {
  Json json = {{"kind", draw.one_of({"adam", "adamw", "sgd", "rmsprop"})}};
  if (json["kind"] == "sgd" && draw.chance(60)) {
    json["momentum"] = draw.real(0.1, 0.95);
    json["nesterov"] = draw.chance(50);
  }
  json["learning_rate"] = schedule(draw, 1e-4, 0.01, false);
  if (draw.chance(40)) json["weight_decay"] = draw.real(0, 0.1);
  if (draw.chance(20)) json["decay_all"] = true;
  if (draw.chance(20)) json["l1"] = draw.real(0, 0.01);
  if (draw.chance(20)) json["group_lasso"] = draw.real(0, 0.01);
  if (draw.chance(20)) json["clip_norm"] = draw.real(0.1, 5);
  if (draw.chance(25)) json["ema"] = draw.real(0.5, 0.999);
  return json;
}

Json extent(Draw& draw, std::int64_t high) {
  if (draw.chance(70)) return draw.between(1, high);
  return {draw.between(1, high), draw.between(1, high)};
}

Json padding(Draw& draw) { return draw.one_of({"valid", "valid", "same", "same", "same", 0, 1}); }

Json weighted(Draw& draw, Json node) {
  if (draw.chance(30)) node["bias"] = draw.chance(50);
  if (draw.chance(40)) node["init"] = "glorot";
  return node;
}

// Whatever keeps images images.
Json image_node(Draw& draw) {
  switch (draw.between(1, 9)) {
    case 1:
    case 2:
      return weighted(draw, {{"kind", "conv2d"},
                             {"filters", draw.between(1, 8)},
                             {"kernel", extent(draw, 4)},
                             {"stride", extent(draw, 2)},
                             {"padding", padding(draw)}});
    case 3:
      return weighted(draw, {{"kind", "depthwise_conv2d"},
                             {"kernel", extent(draw, 3)},
                             {"stride", extent(draw, 2)},
                             {"padding", padding(draw)},
                             {"multiplier", draw.between(1, 2)}});
    case 4:
      return {{"kind", "batch_norm"}};
    case 5:
      return {{"kind", draw.one_of({"max_pool2d", "avg_pool2d"})},
              {"size", extent(draw, 3)},
              {"padding", draw.one_of({"valid", "same"})}};
    case 6:
      return {{"kind", "dropout"}, {"rate", draw.real(0, 0.6)}};
    case 7:
      return {{"kind", draw.one_of({"sigmoid", "tanh", "softmax"})}};
    default:
      return {{"kind", draw.one_of({"relu", "relu", "relu6"})}};
  }
}

// A grouped convolution behind one that makes its channels fit.
void add_grouped(Draw& draw, Json& nodes) {
  nodes.push_back({{"kind", "conv2d"}, {"filters", 6}, {"kernel", 1}});
  nodes.push_back({{"kind", "conv2d"},
                   {"filters", 6 * draw.between(1, 2)},
                   {"kernel", 3},
                   {"padding", "same"},
                   {"groups", draw.one_of({1, 2, 3, 6})}});
}

// A branch of one node and the sum with what it branched off.
void add_residual(Draw& draw, Json& nodes) {
  const std::string trunk = "trunk" + std::to_string(nodes.size());
  const std::string branch = "branch" + std::to_string(nodes.size());
  nodes.push_back({{"name", trunk}, {"kind", "batch_norm"}});
  nodes.push_back(draw.chance(50) ? Json{{"name", branch}, {"kind", "relu"}}
                                  : Json{{"name", branch},
                                         {"kind", "depthwise_conv2d"},
                                         {"kernel", 3},
                                         {"padding", "same"}});
  nodes.push_back({{"kind", "add"}, {"inputs", {trunk, branch}}});
}

Json model(Draw& draw, int classes) {
  Json nodes = Json::array();
  for (std::int64_t n = draw.between(0, 5); n > 0; --n) {
    nodes.push_back(image_node(draw));
    if (draw.chance(15)) nodes.back()["activation"] = "relu";
    if (draw.chance(20)) add_residual(draw, nodes);
    if (draw.chance(10)) add_grouped(draw, nodes);
  }
  if (draw.chance(30)) nodes.push_back({{"kind", "global_avg_pool2d"}});
  if (!draw.chance(3)) nodes.push_back({{"kind", "flatten"}});
  for (std::int64_t n = draw.between(0, 2); n > 0; --n) {
    nodes.push_back(weighted(draw, {{"kind", "dense"}, {"units", draw.between(1, 24)}}));
    if (draw.chance(40)) nodes.push_back({{"kind", "batch_norm"}});
    if (draw.chance(60)) nodes.push_back({{"kind", "relu"}});
  }
  nodes.push_back({{"kind", "dense"}, {"units", draw.chance(97) ? classes : classes + 1}});
  if (draw.chance(5)) nodes.push_back({{"kind", "softmax"}});
  return nodes;
}

// Any quantizer with keys that are mostly its own.
Json quantizer(Draw& draw, bool weights) {
  // Uniform more often than others, some of which no mask may precede.
  std::vector<const QuantizerRow*> rows(4, &quantizer_row("uniform"));
  for (const QuantizerRow& row : quantizer_table()) {
    const bool seldom_fits = !weights && row.name == "binary";
    if ((weights ? row.weights : row.activations) && !(seldom_fits && draw.chance(70)))
      rows.push_back(&row);
  }
  const QuantizerRow& row = *rows[static_cast<std::size_t>(draw.between(0, std::ssize(rows) - 1))];
  Json json = {{"quantizer", row.name}, {"scale", draw.one_of({"float", "power_of_two"})}};
  if (draw.chance(90)) json["bits"] = draw.between(row.least_bits, row.most_bits);
  if (row.observes) {
    const std::vector<std::string> kinds = observer_kinds(weights);
    json["observer"] = kinds[static_cast<std::size_t>(draw.between(0, std::ssize(kinds) - 1))];
    if (draw.chance(80)) json["bits"] = draw.between(2, 8);
    if (draw.chance(40))
      json["rounding"] = weights ? draw.one_of({"floor", "truncate"}) : Json("stochastic");
  }
  if (row.observes || !weights) json["scheme"] = draw.one_of({"symmetric", "affine"});
  if (row.wide && draw.chance(5)) {
    json["bits"] = 16;
    json["scheme"] = "symmetric";
    json["observer"] = "max_abs";
  }
  if (row.name == "codebook") {
    json.erase("bits");
    json["levels"] = draw.between(2, 64);
    json["init"] = draw.one_of({"linear", "density", "random"});
    json["reassign"] = draw.one_of({"never", "epoch"});
    if (draw.chance(10)) json["level_bits"] = 16;
  }
  if (row.name == "log2") json["base"] = draw.one_of({"2", "sqrt2"});
  if (row.learns) json["learning_rate"] = draw.real(0, 2);
  if (row.learns) json["weight_decay"] = draw.real(0, 0.1);
  if (!weights) return json;
  if (!row.one_grid) json["granularity"] = draw.one_of({"per_channel", "per_tensor"});
  if (draw.chance(20)) json["clip_latent"] = draw.real(0.05, 2);
  json["observe"] = draw.one_of({"masked", "dense", "survivors"});
  return json;
}

Json distillation(Draw& draw) {
  return {{"kind", "distill"},
          {"teacher", {{"phase", "phase0"}}},
          {"temperature", schedule(draw, 0.5, 8, false)},
          {"alpha", draw.real(0, 1)}};
}

Json factorization(Draw& draw) {
  Json json = {{"kind", "factorize"}, {"method", draw.one_of({"svd", "svd", "tucker2"})}};
  if (draw.chance(15))
    json["rank"] = draw.between(1, 3);
  else
    json["energy"] = draw.real(0.2, 1);
  return json;
}

Json automatic(Draw& draw) {
  Json json = {{"kind", "auto"},
               {"search",
                {{"bits", {2, draw.between(3, 8)}},
                 {"sparsity", {0, draw.real(0.3, 0.9)}},
                 {"sensitivity", draw.one_of({"loss", "hessian"})}}}};
  json["search"]["epochs"] = draw.real(0.3, 1);
  if (draw.chance(50))
    json["budget"]["bytes"] = draw.between(3000, 40000);
  else
    json["budget"][draw.chance(10) ? "macs" : "loss_points"] = draw.between(1, 100);
  return json;
}

// What rigl and dns add.
Json regrow(Draw& draw, const std::string& method) {
  Json json = {{"every", draw.between(1, 4)}, {"until", draw.real(0, 1)}};
  if (method == "rigl") {
    json["fraction"] = draw.real(0, 1);
    json["distribution"] = draw.one_of({"uniform", "erk"});
  } else {
    json["low"] = draw.real(0, 1);
    json["high"] = draw.real(1, 2);
  }
  return json;
}

// How much is pruned, in one of the ways that the method has.
void add_amount(Draw& draw, Json& prune) {
  const std::string method = prune["method"];
  if (method == "rigl") {
    prune["sparsity"] = draw.real(0, 1);
  } else if (method == "soft") {
    prune["sparsity"] = {{"kind", "linear"}, {"to", draw.real(0, 1)}, {"frequency", 2}};
    prune["factor"] = schedule(draw, 0, 1, false);
  } else if (method == "dns" && draw.chance(30)) {
    prune["regrow"]["c"] = draw.real(-1, 1);
  } else if (draw.chance(20)) {
    prune["threshold"] = {{"mean_abs", draw.real(0, 1)}};
  } else {
    prune["sparsity"] = schedule(draw, 0, 1, true);
  }
}

Json granularity(Draw& draw, const std::string& method) {
  if (method == "apoz") return draw.one_of({"neuron", "filter"});
  if (method == "rigl" || method == "dns")
    return draw.one_of({"element", "element", "element", "element", "block"});
  if (method == "soft") return draw.one_of({"element", "element", "element", "filter", "channel"});
  if (draw.chance(90)) return "element";  // structures are refused where a network has none
  return draw.one_of({"neuron", "filter", "channel", "block", "n_m", "residual_block"});
}

Json prune(Draw& draw) {
  const std::string method =
      draw.chance(5) ? "apoz"
                     : draw.one_of({"magnitude", "magnitude", "magnitude", "random", "gradient",
                                    "taylor", "movement", "dns", "rigl", "soft"});
  Json json = {{"kind", "prune"},
               {"method", method},
               {"granularity", granularity(draw, method)},
               {"ties", draw.one_of({"latent", "index", "random"})},
               {"mask_moments", draw.chance(80)}};
  if (method != "dns") json["mask_gradient"] = draw.chance(80);
  if (method == "dns" || method == "rigl") json["regrow"] = regrow(draw, method);
  const bool one_by_one = json.contains("regrow") || json["granularity"] == "n_m";
  if (!one_by_one) json["scope"] = draw.one_of({"layer", "global"});
  if (method == "magnitude") json["score"] = draw.chance(15) ? "int_code" : "latent";
  if (json["granularity"] == "block") json["block_size"] = draw.one_of({1, 2, {1, 3}});
  if (json["granularity"] == "filter" && method == "magnitude")
    json["norm"] = draw.one_of({"l1", "l2", "geometric_median"});
  if (json["granularity"] == "n_m") {
    json["pattern"] = draw.one_of({"1:2", "2:4", "1:3"});
  } else if (method == "magnitude" && draw.chance(15)) {
    json["rewind"] = {
        {"to", 0}, {"rounds", draw.between(1, 3)}, {"per_round", draw.real(0.1, 0.9)}};
  } else {
    add_amount(draw, json);
  }
  return json;
}

// What acts at the end of a calibration.
void add_calibration(Draw& draw, Json& quantize) {
  quantize["calibration"] = {{"images", draw.between(1, 48)}};
  if (draw.chance(40)) quantize["correct_bias"] = true;
  if (draw.chance(40)) quantize["equalize"] = true;
  if (draw.chance(40)) quantize["adaround"] = {{"iterations", draw.between(1, 10)}};
}

Json compression(Draw& draw) {
  if (draw.chance(4)) {
    return {{"p", prune(draw)},
            {"q", {{"kind", "dynamic"}, {"activation_bits", draw.between(2, 8)}}},
            {"d", distillation(draw)},
            {"f", factorization(draw)},
            {"a", automatic(draw)},
            {"s", {{"kind", "shrink"}}}};
  }
  Json quantize = {{"kind", "quantize"}};
  if (draw.chance(80)) quantize["weights"] = quantizer(draw, true);
  if (draw.chance(80)) quantize["activations"] = quantizer(draw, false);
  if (draw.chance(30)) quantize["first_last_bits"] = draw.between(2, 8);
  if (draw.chance(20)) quantize["error_penalty"] = draw.real(0, 0.1);
  if (draw.chance(30)) quantize["freeze_statistics_at"] = draw.real(0, 1);
  if (draw.chance(15)) quantize["batch_norm"] = "fold";
  if (draw.chance(12)) {
    quantize["overrides"] =
        Json::array({{{"match", draw.one_of({"*", "input", "dense_*", "conv2d_1"})},
                      {"weights", {{"bits", draw.between(2, 8)}}}}});
  }
  return {{"p", prune(draw)},         {"q", quantize},       {"d", distillation(draw)},
          {"f", factorization(draw)}, {"a", automatic(draw)}, {"s", {{"kind", "shrink"}}}};
}

// On top of the phases: a teacher from an earlier phase, factors in front of masks and grids.
void add_beyond(Draw& draw, Json& phases) {
  Json& last = phases.back();
  if (phases.size() > 1 && last.contains("steps") && draw.chance(30)) last["apply"].push_back("d");
  if (!draw.chance(20)) return;
  const std::size_t where = draw.chance(80) ? 0 : phases.size() - 1;
  Json& apply = phases[where]["apply"];
  apply.insert(apply.begin(), "f");
}

Json phases(Draw& draw) {
  Json list = Json::array();
  const std::vector<Json> orders = {Json::array({Json::array()}),
                                    Json::array({Json::array(), {"p", "q"}}),
                                    Json::array({Json::array(), {"q", "p"}}),
                                    Json::array({{"p"}, {"q"}}),
                                    Json::array({{"q"}, {"p"}}),
                                    Json::array({Json::array(), {"q"}}),
                                    Json::array({Json::array(), {"p"}}),
                                    Json::array({{"p"}, {"s", "q"}}),
                                    Json::array({{"q", "p"}, {"s"}}),
                                    Json::array({Json::array(), {"a"}})};
  for (const Json& apply : draw.one_of(orders)) {
    Json phase = {{"name", "phase" + std::to_string(list.size())}, {"apply", apply}};
    if (draw.chance(60) && apply == Json::array({"q"}))
      phase["epochs"] = 0;
    else
      phase["steps"] = draw.between(1, 6);
    if (!list.empty() && draw.chance(20))
      phase["continue"] = true;
    else if (draw.chance(30))
      phase["optimizer"] = {{"learning_rate", 0.001}};
    if (draw.chance(10)) phase["freeze"] = Json::array({"*.bias"});
    list.push_back(phase);
  }
  return list;
}

bool shrinks(const Json& phases) {
  return std::any_of(phases.begin(), phases.end(), [](const Json& phase) {
    return std::ranges::count(phase["apply"], Json("s")) > 0;
  });
}

bool becomes_integers(const Json& nodes) {
  return std::none_of(nodes.begin(), nodes.end(), [](const Json& node) {
    return node["kind"] == "sigmoid" || node["kind"] == "tanh" || node["kind"] == "softmax";
  });
}

Json make_config(Draw& draw, const Dataset& data) {
  Json loss = draw.chance(80)
                  ? Json{{"kind", "cross_entropy"}, {"label_smoothing", draw.real(0, 0.3)}}
                  : Json{{"kind", "mse"}};
  Json all_phases = phases(draw);
  while (data.validation.count() == 0 && all_phases.back()["apply"] == Json::array({"a"}))
    all_phases = phases(draw);  // a search measures on validation images
  const bool searches = all_phases.back()["apply"] == Json::array({"a"});
  add_beyond(draw, all_phases);
  Json methods = compression(draw);
  Json nodes = model(draw, data.classes);
  while (shrinks(all_phases) && !becomes_integers(nodes))
    nodes = model(draw, data.classes);  // shrinking compares integers
  for (const Json& phase : all_phases) {
    if (phase.contains("epochs") && methods["q"]["kind"] == "quantize")
      add_calibration(draw, methods["q"]);
  }
  return {
      {"name", "random"},
      {"seed", draw.between(0, 1000)},
      {"dataset",
       {{"kind", "digits"},
        {"validation", data.validation.count()},
        {"batch_size", draw.between(1, 24)},
        {"augment",
         draw.chance(40)
             ? Json::array({{{"kind", draw.one_of({"shift", "crop", "flip", "rotate", "cutout"})}}})
             : Json::array()}}},
      {"model", nodes},
      {"loss", loss},
      {"optimizer", optimizer(draw)},
      {"compression", methods},
      {"composition", draw.one_of({"mask_then_quantize", "quantize_then_mask"})},
      {"phases", all_phases},
      {"requantization", {{"rounding", draw.one_of({"double", "single"})}}},
      {"report",
       {{"keep", draw.one_of({"best", "last"})},
        {"integer", searches || draw.chance(60) ? "ptq" : "none"}}}};
}

}  // namespace

RandomConfig random_config(std::uint64_t seed) {
  Draw draw(seed);
  RandomConfig result{.data = make_data(draw), .json = {}};
  result.json = make_config(draw, result.data);
  return result;
}

}  // namespace pare
