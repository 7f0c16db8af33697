#include "layers/model_config.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "framework/config/config.h"
#include "layers/conv2d.h"
#include "layers/summary.h"
#include "tests/layers/helpers.h"

namespace pare {
namespace {

using namespace testing;

const Shape kMnist{28, 28, 1};

const std::string kSmall = R"([
  {"kind": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"},
  {"kind": "max_pool2d", "size": 2},
  {"kind": "flatten"},
  {"kind": "dense", "units": 10}])";

std::string building(const std::string& model) {
  return message([&] { build_network(read_model(model), kMnist, 10); });
}

TEST_CASE("names, inputs and implied activations are filled in") {
  const Network network = build_network(read_model(kSmall), kMnist, 10);
  std::vector<std::string> names;
  for (const NetworkNode& node : network.nodes()) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"conv2d_1", "conv2d_1_relu", "max_pool2d_1", "flatten_1",
                                          "dense_1"});
  CHECK(network.node("max_pool2d_1").inputs == std::vector<std::string>{"conv2d_1_relu"});
  CHECK(network.node("conv2d_1").inputs == std::vector<std::string>{"input"});
  CHECK(network.node("max_pool2d_1").shape == Shape{1, 13, 13, 8});
  CHECK(network.parameter_count() == 8 * 9 + 8 + 13 * 13 * 8 * 10 + 10);
}

TEST_CASE("a bias is left out where a batch_norm alone follows, unless the config says otherwise") {
  const Network network = build_network(read_model(R"([
    {"name": "a", "kind": "conv2d", "filters": 2, "kernel": 1},
    {"name": "an", "kind": "batch_norm"},
    {"name": "b", "kind": "conv2d", "filters": 2, "kernel": 1, "bias": true},
    {"name": "bn", "kind": "batch_norm"},
    {"name": "c", "kind": "conv2d", "filters": 2, "kernel": 1, "activation": "relu"},
    {"name": "cn", "kind": "batch_norm"},
    {"name": "d", "kind": "depthwise_conv2d", "kernel": 1},
    {"name": "dn", "kind": "batch_norm"},
    {"name": "sum", "kind": "add", "inputs": ["d", "dn"]},
    {"name": "f", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "units": 10, "bias": false}])"),
                                        kMnist, 10);
  const auto has_bias = [&](const char* name) {
    return dynamic_cast<const Weighted&>(*network.node(name).module).bias() != nullptr;
  };
  CHECK_FALSE(has_bias("a"));
  CHECK(has_bias("b"));
  CHECK(has_bias("c"));  // the relu follows
  CHECK(has_bias("d"));  // the add reads it too
  CHECK_FALSE(has_bias("fc"));
}

TEST_CASE("a network written as JSON is read back as the same network") {
  const ModelConfig model = read_model(R"([
    {"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 5], "stride": 2, "padding": "same",
     "groups": 1, "init": "glorot"},
    {"kind": "batch_norm", "momentum": 0.5, "epsilon": 0.001, "activation": "relu6"},
    {"kind": "depthwise_conv2d", "kernel": 3, "padding": 1, "multiplier": 2},
    {"kind": "avg_pool2d", "size": 3, "stride": [1, 2]},
    {"kind": "dropout", "rate": 0.25},
    {"kind": "global_avg_pool2d"}, {"kind": "flatten"}, {"kind": "dense", "units": 10},
    {"kind": "softmax"}])");
  const Network network = build_network(model, kMnist, 10);
  const auto json = network.to_json();
  CHECK(json[0].dump() ==
        R"({"name":"c","kind":"conv2d","inputs":["input"],"filters":4,"kernel":[3,5],"stride":2,)"
        R"("padding":"same","bias":false,"init":"glorot","groups":1})");
  CHECK(network_from_json(json, kMnist).to_json() == json);
  CHECK(config::Json(model_type().write(model)).size() == network.nodes().size());
  CHECK(build_network(read_model(model_type().write(model).dump()), kMnist, 10).to_json() == json);
}

// A kind that a network may hold although configs do not know it.
class Marker final : public Module {
 public:
  struct Options {
    std::int64_t bits = 8;
    void describe(config::Object& o) { o.integer("bits", bits, "any"); }
  };
  explicit Marker(const Options& options) : options_(options) {}
  std::string_view kind() const override { return "marker"; }
  Shape build(std::span<const Shape> inputs) override { return inputs[0]; }
  Variable forward(std::span<const Variable> inputs, const Pass&) override { return inputs[0]; }
  nlohmann::ordered_json to_json() const override { return config::write(options_); }

 private:
  Options options_;
};

TEST_CASE("kinds of other folders are read back through the table that knows them") {
  Network network = build_network(read_model(kSmall), kMnist, 10);
  network.insert_after("input", "input_marker",
                       std::make_unique<Marker>(Marker::Options{.bits = 4}));
  const auto json = network.to_json();
  NodeTable table = node_kinds();
  table.push_back(kind_with_options<Marker>("marker"));
  CHECK(network_from_json(json, kMnist, table).to_json() == json);
  CHECK(message([&] { network_from_json(json, kMnist); }).find("\"marker\"") != std::string::npos);
}

TEST_CASE("errors of reading say where and what would be right") {
  CHECK(building(R"([{"kind": "conv2", "filters": 8, "kernel": 3}])") ==
        "x.json:1:21: model[0].kind: expected one of dense, conv2d, depthwise_conv2d, batch_norm, "
        "max_pool2d, avg_pool2d, global_avg_pool2d, flatten, dropout, add, relu, relu6, sigmoid, "
        "tanh, softmax, got \"conv2\" (did you mean 'conv2d'?)");
  CHECK(building(R"([{"kind": "dense", "units": 10, "bais": false}])") ==
        "x.json:1:43: model[0].bais: unknown key (did you mean 'bias'?)");
  CHECK(building(R"([{"kind": "dense"}])") == "x.json:1:12: model[0]: expected a key 'units'");
  CHECK(building("[]") == "x.json:1:11: model: expected at least one node");
  CHECK(building(R"([{"kind": "max_pool2d", "size": [2, 2, 2]}])") ==
        "x.json:1:43: model[0].size: expected an integer or [height, width], got a list of 3");
  CHECK(building(R"([{"kind": "max_pool2d", "padding": "sane"}])") ==
        "x.json:1:46: model[0].padding: expected valid, same or an integer, got \"sane\" (did you "
        "mean 'same'?)");
}

TEST_CASE("errors of building say where the node stands, its kind and its name") {
  CHECK(
      building(R"([{"kind": "dense", "units": 10}])") ==
      "x.json:1:12: model[0]: [dense] node 'dense_1': expected an input [batch, features], got [1, "
      "28, 28, 1]; put a flatten or a global_avg_pool2d and a flatten before it");
  CHECK(building(R"([{"kind": "flatten"}, {"name": "fc", "kind": "dense", "units": 12}])") ==
        "x.json:1:33: model[1]: [dense] node 'fc': expected the last node to give one value per "
        "class ([10]), got [12]; end with a dense of 10 units");
  CHECK(
      building(R"([{"kind": "flatten"}, {"kind": "dense", "units": 9},
                     {"kind": "dense", "units": 10, "inputs": ["flatten_1"]}])") ==
      "x.json:1:33: model[1]: [dense] node 'dense_1': nobody reads it and it is not the last node; "
      "name it in the inputs of another, or take it out");
  CHECK(building(
            R"([{"kind": "flatten", "name": "x"}, {"kind": "dense", "name": "x", "units": 10}])") ==
        "x.json:1:46: model[1]: [dense] node 'x': the name is taken; names must differ");
  CHECK(
      building(
          R"([{"kind": "flatten", "inputs": ["fc"]}, {"kind": "dense", "name": "fc", "units": 10}])") ==
      "x.json:1:12: model[0]: [flatten] node 'flatten_1': expected inputs among the nodes before "
      "it, got 'fc'");
}

TEST_CASE("a model may be a path, relative to the config that names it") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("pare_model_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "nodes.json") << kSmall;
  std::ofstream(folder / "x.json") << R"({"model": "nodes.json"})";
  const auto config = config::read<OnlyModel>(config::load_file((folder / "x.json").string()));
  CHECK(config.model.nodes.size() == 5);
  CHECK(config.model.nodes[1].where.find("nodes.json:2:3") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("the documentation lists the keys of every kind") {
  const auto entries = config::document<OnlyModel>();
  const auto has = [&](const std::string& path, const std::string& kind) {
    return std::any_of(entries.begin(), entries.end(), [&](const config::Entry& entry) {
      return entry.path == path && entry.when.find(kind) != std::string::npos;
    });
  };
  CHECK(has("model[].filters", "conv2d"));
  CHECK(has("model[].rate", "dropout"));
  CHECK(has("model[].multiplier", "depthwise_conv2d"));
}

TEST_CASE("the summary is a table with totals") {
  CHECK(summary(build_network(read_model(kSmall), kMnist, 10)) ==
        "node           kind        output       parameters    MACs   bytes\n"
        "input                      28 x 28 x 1                       3,136\n"
        "conv2d_1       conv2d      26 x 26 x 8          80  48,672  21,632\n"
        "conv2d_1_relu  relu        26 x 26 x 8                      21,632\n"
        "max_pool2d_1   max_pool2d  13 x 13 x 8                       5,408\n"
        "flatten_1      flatten     1352                              5,408\n"
        "dense_1        dense       10               13,530  13,520      40\n"
        "total                                       13,610  62,192        \n");
}

}  // namespace
}  // namespace pare
