// One struct of every kind of field, read, written, documented and described as a schema.
#include "framework/config/object.h"

#include <doctest/doctest.h>

#include "framework/base/text.h"
#include "framework/config/config.h"
#include "tests/config/message.h"

namespace pare::config {
namespace {

enum class Observe { masked, dense };

struct Weights {
  int bits = 8;
  std::string scheme = "symmetric";

  void describe(Object& o) {
    o.integer("bits", bits, {.min = 2, .max = 16}, "width of a code");
    o.choice("scheme", scheme, {"symmetric", "affine"}, "where zero lies");
  }
  bool operator==(const Weights&) const = default;
};

// A value with two spellings: a number, or an object.
struct Schedule {
  bool constant = true;
  double from = 0;
  double to = 0;

  void describe(Object& o) {
    o.real("from", from, "first value");
    o.real("to", to, "last value");
  }
  bool operator==(const Schedule&) const = default;
};

Type<Schedule> schedule(RealRange range) {
  Type<Schedule> type = object<Schedule>();
  const auto read_object = type.read;
  const auto write_object = type.write;
  type.name = "number or schedule";
  type.read = [=](const Node& node, Schedule& x) {
    x.constant = node.is_number();
    if (!x.constant && !node.is_object()) node.expected("a number or a schedule");
    if (x.constant) {
      x.from = x.to = node.real(range);
    } else {
      read_object(node, x);
    }
  };
  type.write = [=](const Schedule& x) { return x.constant ? Json(x.to) : write_object(x); };
  return type;
}

struct Layer {
  std::string kind;
  int units = 0;
  double rate = 0.5;

  void describe(Object& o) {
    o.alternatives(
        "kind", kind,
        {{"dense",
          [&](Object& dense) {
            dense.integer("units", units, {.min = 1}, "outputs");
            dense.require("units");
          }},
         {"dropout",
          [&](Object& dropout) { dropout.real("rate", rate, {.min = 0, .below = 1}, "zeroed"); }},
         {"relu", [](Object&) {}}},
        "what the node computes");
  }
  bool operator==(const Layer&) const = default;
};

struct Run {
  std::uint64_t seed = 1;
  std::optional<double> clip;
  bool shuffle = true;
  std::string name = "run";
  Observe observe = Observe::masked;
  Schedule rate{.from = 0.1, .to = 0.1};
  Weights weights;
  std::optional<Weights> activations;
  std::vector<std::string> apply;
  std::vector<int> kernel = {3, 3};
  std::vector<Layer> model;
  std::vector<std::pair<std::string, Weights>> compression;

  void describe(Object& o) {
    o.integer("seed", seed, "of everything random");
    o.real("clip", clip, {.above = 0}, "largest norm");
    o.boolean("shuffle", shuffle, "new order every epoch");
    o.text("name", name, "of the run");
    o.choice("observe", observe, {{"masked", Observe::masked}, {"dense", Observe::dense}},
             "whose range");
    o.field("rate", rate, schedule({.above = 0}), "step size");
    o.object("weights", weights, "of the grid");
    o.object("activations", activations, "null: float");
    o.list("apply", apply, "names");
    o.field("kernel", kernel, list(integer<int>({.min = 1})), "height and width");
    o.list("model", model, "nodes");
    o.map("compression", compression, "methods by name");
    if (o.missing("name") && o.given("seed")) name = "run" + std::to_string(seed);
    if (o.given("clip") && o.given("activations")) o.fail("clip", "not together with activations");
    for (std::size_t i = 0; i < apply.size(); ++i) {
      std::vector<std::string> names;
      for (const auto& [key, method] : compression) names.push_back(key);
      if (std::find(names.begin(), names.end(), apply[i]) == names.end()) {
        o.fail("apply[" + std::to_string(i) + "]", "expected a name from compression, got '" +
                                                       apply[i] + "'" +
                                                       suggestion(apply[i], names));
      }
    }
  }
  bool operator==(const Run&) const = default;
};

Run from(std::string_view text) { return read<Run>(load_text(text, "x.json")); }
std::string fault(std::string_view text) {
  return message_of([&] { from(text); });
}

TEST_CASE("absent keys keep the struct's own values") { CHECK(from("{}") == Run()); }

TEST_CASE("every kind of field is read") {
  const Run run = from(R"({"seed": 7, "clip": 1, "shuffle": false, "name": "n", "observe": "dense",
      "rate": {"from": 0.5}, "weights": {"bits": 4}, "apply": ["q"], "kernel": [5],
      "model": [{"kind": "dense", "units": 10}, {"kind": "relu"}, {"kind": "dropout", "rate": 0}],
      "compression": {"z": {}, "q": {"scheme": "affine"}}})");
  CHECK(run.seed == 7);
  CHECK(run.clip == 1.0);
  CHECK_FALSE(run.shuffle);
  CHECK(run.observe == Observe::dense);
  CHECK(run.rate == Schedule{.constant = false, .from = 0.5, .to = 0.1});
  CHECK(run.weights == Weights{.bits = 4});
  CHECK_FALSE(run.activations);
  CHECK(run.kernel == std::vector<int>{5});
  CHECK(run.model[2] == Layer{.kind = "dropout", .units = 0, .rate = 0});
  REQUIRE(run.compression.size() == 2);
  CHECK(run.compression[0].first == "z");  // the order of the file
  CHECK(run.compression[1].second.scheme == "affine");
}

TEST_CASE("null empties what is optional and is refused elsewhere") {
  CHECK(from(R"({"activations": {"bits": 4}})").activations == Weights{.bits = 4});
  CHECK_FALSE(from(R"({"activations": null, "clip": null})").clip);
  CHECK(fault(R"({"seed": null})") ==
        "x.json:1:10: seed: expected an integer of at least 0, got null");
}

TEST_CASE("defaults may depend on other keys") {
  CHECK(from(R"({"seed": 3})").name == "run3");
  CHECK(from(R"({"seed": 3, "name": "x"})").name == "x");
}

TEST_CASE("wrong types and ranges are refused with position, path, expectation and value") {
  CHECK(fault(R"({"seed": 2.0})") ==
        "x.json:1:10: seed: expected an integer of at least 0, got 2.0");
  CHECK(fault(R"({"seed": -1})") == "x.json:1:10: seed: expected an integer of at least 0, got -1");
  CHECK(fault(R"({"weights": {"bits": 17}})") ==
        "x.json:1:22: weights.bits: expected an integer from 2 to 16, got 17");
  CHECK(fault(R"({"weights": {"bits": 99999999999999999999}})") ==
        "x.json:1:22: weights.bits: expected an integer from 2 to 16, got 1e+20");
  CHECK(fault(R"({"clip": 0})") == "x.json:1:10: clip: expected a number above 0, got 0");
  CHECK(fault(R"({"model": [{"kind": "dropout", "rate": 1}]})") ==
        "x.json:1:40: model[0].rate: expected a number of at least 0 and below 1, got 1");
  CHECK(fault(R"({"shuffle": "yes"})") ==
        "x.json:1:13: shuffle: expected true or false, got \"yes\"");
  CHECK(fault(R"({"name": 1})") == "x.json:1:10: name: expected a string, got 1");
  CHECK(fault(R"({"weights": []})") ==
        "x.json:1:13: weights: expected an object, got an empty list");
  CHECK(fault(R"({"apply": "q"})") == "x.json:1:11: apply: expected a list, got \"q\"");
  CHECK(fault(R"({"kernel": [1, 0]})") ==
        "x.json:1:16: kernel[1]: expected an integer from 1 to 2147483647, got 0");
  CHECK(fault(R"({"rate": "fast"})") ==
        "x.json:1:10: rate: expected a number or a schedule, got \"fast\"");
  CHECK(fault(R"({"compression": {"q": 1}})") ==
        "x.json:1:23: compression.q: expected an object, got 1");
}

TEST_CASE("long and strange strings are shown short and escaped") {
  CHECK(fault("{\"shuffle\": \"" + std::string(100, 'a') + "\"}") ==
        "x.json:1:13: shuffle: expected true or false, got \"" + std::string(40, 'a') + "...\"");
  CHECK(fault(R"({"shuffle": "\n"})") ==
        "x.json:1:13: shuffle: expected true or false, got \"\\n\"");
}

TEST_CASE("wrong names are refused with the nearest right one") {
  CHECK(
      fault(R"({"weights": {"scheme": "afine"}})") ==
      "x.json:1:24: weights.scheme: expected one of symmetric, affine, got \"afine\" (did you mean "
      "'affine'?)");
  CHECK(fault(R"({"observe": "all"})") ==
        "x.json:1:13: observe: expected one of masked, dense, got \"all\"");
  CHECK(fault(R"({"model": [{"kind": "dence"}]})") ==
        "x.json:1:21: model[0].kind: expected one of dense, dropout, relu, got \"dence\" (did you "
        "mean "
        "'dense'?)");
}

TEST_CASE("unknown keys are refused with the nearest key, or the place where they belong") {
  CHECK(fault(R"({"shufle": true})") ==
        "x.json:1:2: shufle: unknown key (did you mean 'shuffle'?)");
  CHECK(fault(R"({"weights": {"bit": 4}})") ==
        "x.json:1:14: weights.bit: unknown key (did you mean 'bits'?)");
  CHECK(fault(R"({"units": 4})") == "x.json:1:2: units: unknown key (it belongs under 'model[]')");
  CHECK(fault(R"({"weights": {"seed": 4}})") ==
        "x.json:1:14: weights.seed: unknown key (it belongs at the top level)");
  CHECK(fault(R"({"model": [{"kind": "relu", "rate": 0.5}]})") ==
        "x.json:1:29: model[0].rate: unknown key (only where kind = dropout)");
  CHECK(fault(R"({"zebra": 1})") == "x.json:1:2: zebra: unknown key");
}

TEST_CASE("required keys are asked for, misspelt ones first") {
  CHECK(fault(R"({"model": [{"kind": "dense"}]})") ==
        "x.json:1:12: model[0]: expected a key 'units'");
  CHECK(fault(R"({"model": [{}]})") ==
        "x.json:1:12: model[0]: expected a key 'kind': one of dense, dropout, relu");
  CHECK(fault(R"({"model": [{"kind": "dense", "unit": 3}]})") ==
        "x.json:1:30: model[0].unit: unknown key (did you mean 'units'?)");
}

TEST_CASE("rules between fields point at the value that breaks them") {
  CHECK(fault("{\"clip\": 1,\n\"activations\": {}}") ==
        "x.json:1:10: clip: not together with activations");
  CHECK(fault("{\"compression\": {\"quant\": {}},\n \"apply\": [\"qaunt\"]}") ==
        "x.json:2:12: apply[0]: expected a name from compression, got 'qaunt' (did you mean "
        "'quant'?)");
  const Value root = load_text("{\"model\":\n [{}]}", "x.json");
  CHECK(message_of([&] { fail_at(root, "model[0].units", "too few"); }) ==
        "x.json:2:3: model[0].units: too few");
}

TEST_CASE("values of --set are refused in its name") {
  const Value root = load_text("{}", "x.json", std::vector<std::string>{"weights.bits=many"});
  CHECK(message_of([&] { read<Run>(root); }) ==
        "--set weights.bits=many: weights.bits: expected an integer from 2 to 16, got \"many\"");
  const Value unknown = load_text("{}", "x.json", std::vector<std::string>{"wieghts.bits=4"});
  CHECK(message_of([&] { read<Run>(unknown); }) ==
        "--set wieghts.bits=4: wieghts: unknown key (did you mean 'weights'?)");
}

TEST_CASE("what is written reads back as the same struct, and again as the same text") {
  const Run run = from(R"({"seed": 9223372036854775807, "rate": {"from": 0.5}, "observe": "dense",
      "activations": {"bits": 3}, "apply": ["q", "p"], "compression": {"q": {}, "p": {"bits": 2}},
      "model": [{"kind": "dense", "units": 3}, {"kind": "dropout", "rate": 0.1}, {"kind": "relu"}]})");
  const std::string text = pretty(write(run));
  CHECK(from(text) == run);
  CHECK(pretty(write(from(text))) == text);
  CHECK(from(pretty(write(Run()))) == Run());
}

TEST_CASE("pretty output keeps on one line what fits") {
  CHECK(pretty(Json{{"a", 1}, {"b", {1, 2}}, {"c", Json::object()}}) ==
        "{\n  \"a\": 1,\n  \"b\": [1, 2],\n  \"c\": {}\n}\n");
  const std::string word(60, 'x');
  CHECK(pretty(Json{{"a", {word, word}}}) ==
        "{\n  \"a\": [\n    \"" + word + "\",\n    \"" + word + "\"\n  ]\n}\n");
}

TEST_CASE("the documentation has a row per key with type, default, range and alternatives") {
  const std::vector<Entry> rows = document<Run>();
  const auto row = [&](std::string_view path) {
    for (const Entry& entry : rows) {
      if (entry.path == path) return entry;
    }
    FAIL("no row for " << path);
    return Entry{};
  };
  CHECK(rows.front().path == "seed");
  CHECK(row("clip").type == "number or null");
  CHECK(row("clip").default_value == "null");
  CHECK(row("clip").allowed == "above 0");
  CHECK(row("clip").doc == "largest norm");
  CHECK(row("kernel").type == "list of integer");
  CHECK(row("kernel").allowed == "at least 1");
  CHECK(row("weights.bits").default_value == "8");
  CHECK(row("activations.bits").allowed == "from 2 to 16");
  CHECK(row("compression.<name>.scheme").allowed == "symmetric, affine");
  CHECK(row("rate").type == "number or schedule");
  CHECK(row("rate.from").doc == "first value");
  CHECK(row("model[].kind").default_value == "required");
  CHECK(row("model[].units").when == "kind = dense");
  CHECK(row("model[].units").default_value == "required");
  CHECK(row("model[].rate").when == "kind = dropout");
}

TEST_CASE("the schema closes objects, keeps ranges and offers alternatives") {
  const Json root = schema<Run>();
  CHECK(root["$schema"] == "http://json-schema.org/draft-07/schema#");
  CHECK(root["type"] == "object");
  CHECK(root["additionalProperties"] == false);
  const Json& keys = root["properties"];
  CHECK(keys["clip"]["anyOf"][0]["exclusiveMinimum"] == 0);
  CHECK(keys["seed"]["default"] == 1);
  CHECK(keys["weights"]["properties"]["bits"]["maximum"] == 16);
  CHECK(keys["compression"]["additionalProperties"]["properties"].contains("scheme"));
  const Json& kinds = keys["model"]["items"]["anyOf"];
  REQUIRE(kinds.size() == 3);
  CHECK(kinds[0]["properties"]["kind"]["const"] == "dense");
  CHECK(kinds[0]["required"] == Json::array({"units"}));
  CHECK_FALSE(kinds[2]["properties"].contains("units"));
}

TEST_CASE("a describe that declares a key twice is our own mistake") {
  struct Twice {
    int x = 0;
    void describe(Object& o) {
      o.integer("x", x, "once");
      o.integer("x", x, "again");
    }
  };
  CHECK_THROWS_AS(read<Twice>(load_text("{}", "x")), std::logic_error);
}

TEST_CASE("rank says which of two keys was given last") {
  struct Which {
    std::optional<int> phases, strategy;
    void describe(Object& o) {
      o.custom("a", {.read = [](const Node&) {}, .write = omitted, .type = "any"}, "");
      o.custom("b", {.read = [](const Node&) {}, .write = omitted, .type = "any"}, "");
      phases = o.rank("a");
      strategy = o.rank("b");
    }
  };
  const Which which =
      read<Which>(load_text(R"({"a": [1], "b": {}})", "x", std::vector<std::string>{"a[0]=2"}));
  CHECK(which.phases == 1);
  CHECK(which.strategy == 0);
  CHECK_FALSE(read<Which>(load_text("{}", "x")).phases);
}

TEST_CASE("every truncation of a valid config is a ConfigError") {
  const std::string text = pretty(write(from(R"({"model": [{"kind": "dense", "units": 3}]})")));
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(from(std::string_view(text).substr(0, length)), ConfigError);
  }
}

}  // namespace
}  // namespace pare::config
