#include "layers/network.h"

#include <map>

#include "framework/ops/ops.h"
#include "layers/activation.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/shape_layers.h"
#include "tests/layers/helpers.h"

namespace pare {
namespace {

using namespace testing;

std::unique_ptr<Module> dense(std::int64_t units) {
  return std::make_unique<Dense>(DenseOptions{.units = units});
}

// Doubles its input: a node of somebody else's kind.
class Twice final : public Module {
 public:
  std::string_view kind() const override { return "twice"; }
  Shape build(std::span<const Shape> inputs) override { return inputs[0]; }
  Variable forward(std::span<const Variable> inputs, const Pass&) override {
    return add(inputs[0], inputs[0]);
  }
};

// input [2] -> a = dense(2) -> r = relu -> sum = a + r -> out = dense(1)
Network residual() {
  Network network({2});
  network.add("a", {"input"}, dense(2));
  network.add("r", {"a"}, make_activation("relu"));
  network.add("sum", {"a", "r"}, std::make_unique<Add>());
  network.add("out", {"sum"}, dense(1));
  const auto parameters = network.parameters();
  set(*parameters[0], {1, 2, 3, -4});  // a.weight
  set(*parameters[1], {0.5f, 1});      // a.bias
  set(*parameters[2], {10, 100});      // out.weight
  set(*parameters[3], {7});            // out.bias
  return network;
}

// x = (1, 1): a = (3.5, 0), x = (1, 2): a = (5.5, -4).
Tensor two_inputs() { return tensor({2, 2}, {1, 1, 1, 2}); }

std::vector<std::string> names(const Network& network) {
  std::vector<std::string> all;
  for (const NetworkNode& node : network.nodes()) all.push_back(node.name);
  return all;
}

TEST_CASE("a residual network computes what a hand computes") {
  Network network = residual();
  // sum = a + relu(a) = (7, 0) and (11, -4); out = 10, 100 . sum + 7.
  check_close(network.forward(Variable(two_inputs()), evaluating()).value(), {77, -283});
}

TEST_CASE("the gradient of a residual network is the sum over both branches") {
  Network network = residual();
  const Variable y = network.forward(Variable(tensor({1, 2}, {1, 2})), training());
  backward(y);
  // d out / d a = (10 * 2, 100 * 1), since relu is open for 5.5 and shut for -4; times x.
  check_close(network.parameters()[0]->grad(), {20, 40, 100, 200});
  check_close(network.parameters()[1]->grad(), {20, 100});
  network.release();
  CHECK_FALSE(network.parameters()[0]->grad().defined());
}

TEST_CASE("parameters have the path of their node and state names include all of them") {
  const Network network = residual();
  std::vector<std::string> paths;
  network.visit_parameters([&](Parameter& parameter) { paths.push_back(parameter.path()); });
  CHECK(paths == std::vector<std::string>{"a.weight", "a.bias", "out.weight", "out.bias"});
  CHECK(network.parameter_count() == 4 + 2 + 2 + 1);
  CHECK(network.macs() == 4 + 2);
}

TEST_CASE("a tap sees the input and every node once, in order") {
  Network network = residual();
  std::vector<std::string> seen;
  network.forward(Variable(two_inputs()), evaluating(),
                  [&](const std::string& node, const Variable& value) {
                    seen.push_back(node);
                    if (node == "r") check_close(value.value(), {3.5, 0, 5.5, 0});
                  });
  CHECK(seen == std::vector<std::string>{"input", "a", "r", "sum", "out"});
}

TEST_CASE("a value is dropped after its last reader") {
  const NoGradient no_gradient;
  const std::int64_t bytes = 1000 * sizeof(float);
  Network network({1000});
  for (int i = 0; i < 20; ++i) {
    const std::string before = i == 0 ? "input" : "n" + std::to_string(i - 1);
    network.add("n" + std::to_string(i), {before}, make_activation("relu"));
  }
  release_step_memory();
  const std::int64_t now = memory_statistics().step_bytes_now;
  reset_memory_peak();
  network.forward(Variable(Tensor::full({1, 1000}, 1)), evaluating());
  // The caller's input, one node's input and its output, and no twenty outputs.
  CHECK(memory_statistics().step_bytes_peak - now <= 4 * bytes + 4096);
}

TEST_CASE("an inserted node takes over all readers and removing it restores them") {
  Network network = residual();
  network.insert_after("a", "a_twice", std::make_unique<Twice>());
  CHECK(names(network) == std::vector<std::string>{"a", "a_twice", "r", "sum", "out"});
  CHECK(network.readers("a") == std::vector<std::string>{"a_twice"});
  CHECK(network.readers("a_twice") == std::vector<std::string>{"r", "sum"});
  // Everything behind a is positively homogeneous: only the bias of 7 is not doubled.
  check_close(network.forward(Variable(two_inputs()), evaluating()).value(), {147, -573});
  network.remove("a_twice");
  CHECK(names(network) == std::vector<std::string>{"a", "r", "sum", "out"});
  check_close(network.forward(Variable(two_inputs()), evaluating()).value(), {77, -283});
}

TEST_CASE("nodes can be inserted behind the input and behind the output") {
  Network network = residual();
  network.insert_after("input", "x2", std::make_unique<Twice>());
  network.insert_after("out", "y2", std::make_unique<Twice>());
  CHECK(names(network).front() == "x2");
  CHECK(network.output() == "y2");
  // x = (2, 2): a = (6.5, -1): sum = (13, -1), out = 37; twice.
  check_close(network.forward(Variable(tensor({1, 2}, {1, 1})), evaluating()).value(), {74});
  network.remove("y2");
  CHECK(network.output() == "out");
}

TEST_CASE("a chain takes the place of a node, in the middle and at the end") {
  Network network = residual();
  std::vector<Network::NamedModule> chain;
  chain.emplace_back("a_in", dense(5));
  chain.emplace_back("a_out", dense(2));
  network.replace("a", std::move(chain));
  CHECK(names(network) == std::vector<std::string>{"a_in", "a_out", "r", "sum", "out"});
  CHECK(network.readers("a_out") == std::vector<std::string>{"r", "sum"});
  CHECK(network.node("a_in").inputs == std::vector<std::string>{"input"});
  CHECK(network.parameters()[0]->path() == "a_in.weight");
  CHECK(network.parameters()[0]->shape() == Shape{5, 2});
  chain.clear();
  chain.emplace_back("out", dense(1));
  network.replace("out", std::move(chain));
  CHECK(network.output() == "out");
  chain.clear();
  chain.emplace_back("r", dense(1));
  CHECK_THROWS_AS(network.replace("out", std::move(chain)), ConfigError);
}

TEST_CASE("a node that keeps its input's shape is all that can be inserted or removed") {
  Network network = residual();
  CHECK_THROWS_AS(network.insert_after("a", "wide", dense(3)), std::logic_error);
  CHECK_THROWS_AS(network.remove("out"), std::logic_error);
  CHECK_THROWS_AS(network.remove("sum"), std::logic_error);
  CHECK(names(network) == std::vector<std::string>{"a", "r", "sum", "out"});
}

TEST_CASE("errors name the kind and the node, what was expected and what came") {
  Network network = residual();
  const auto adding = [&](const std::string& name, const std::string& input) {
    return message([&] { network.add(name, {input}, make_activation("relu")); });
  };
  CHECK(adding("b", "sun") ==
        "[relu] node 'b': expected inputs among the nodes before it, got 'sun' (did you mean "
        "'sum'?)");
  CHECK(adding("a", "out") == "[relu] node 'a': the name is taken; names must differ");
  CHECK(adding("input", "out") ==
        "[relu] node 'input': 'input' is the network's own input; choose another name");
  CHECK(adding("a.b", "out") ==
        "[relu] node 'a.b': expected a name of 1 to 100 letters, digits, '_' or '-'");
  CHECK(message([&] {
          network.add("c", {"out"},
                      std::make_unique<Conv2d>(Conv2dOptions{.filters = 4, .kernel = {3, 3}}));
        }) ==
        "[conv2d] node 'c': expected an input [batch, height, width, channels], got [1, 1]; put it "
        "before the flatten");
  CHECK(names(network).size() == 4);
}

TEST_CASE("initial values depend on seed and path only") {
  const auto first_weight = [](const std::string& name, std::uint64_t seed, bool with_other) {
    Network network({3});
    if (with_other) network.add("other", {"input"}, dense(3));
    network.add(name, {"input"}, dense(3));
    network.initialize(seed);
    const Tensor& w = network.parameters()[with_other ? 2 : 0]->latent();
    return std::vector<float>(w.values().begin(), w.values().end());
  };
  CHECK(first_weight("fc", 1, false) == first_weight("fc", 1, true));
  CHECK(first_weight("fc", 1, false) != first_weight("fc", 2, false));
  CHECK(first_weight("fc", 1, false) != first_weight("fd", 1, false));
}

}  // namespace
}  // namespace pare
