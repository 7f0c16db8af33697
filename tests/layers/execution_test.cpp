// What runs together or in another order gives what each node by itself gives: the same bits for
// values and gradients, with every number of threads; only a bias behind which a pool follows sums
// its gradient in another order.
#include "layers/execution.h"

#include <cstring>
#include <map>

#include "framework/base/parallel.h"
#include "framework/random.h"
#include "tests/layers/helpers.h"

namespace pare::testing {
namespace {

constexpr const char* kPooled = R"([
  {"kind": "conv2d", "name": "conv1", "filters": 20, "kernel": 5, "activation": "relu"},
  {"kind": "max_pool2d", "size": 2},
  {"kind": "conv2d", "name": "conv2", "filters": 9, "kernel": 3, "padding": 1, "activation": "relu6"},
  {"kind": "max_pool2d", "size": 3, "stride": 2},
  {"kind": "flatten"}, {"kind": "dense", "name": "fc", "units": 10}])";

constexpr const char* kResidual = R"([
  {"kind": "conv2d", "name": "conv1", "filters": 16, "kernel": 3, "padding": 1},
  {"kind": "batch_norm", "name": "bn1", "activation": "relu"},
  {"kind": "depthwise_conv2d", "name": "deep", "kernel": 3, "padding": 1},
  {"kind": "batch_norm", "name": "bn6", "activation": "relu6"},
  {"kind": "conv2d", "name": "conv2", "filters": 16, "kernel": 3, "padding": 1},
  {"kind": "batch_norm", "name": "bn2"},
  {"kind": "add", "name": "sum", "inputs": ["bn2", "bn1_relu"], "activation": "relu"},
  {"kind": "max_pool2d", "size": 2},
  {"kind": "flatten"}, {"kind": "dense", "name": "fc", "units": 10}])";

struct Outcome {
  Tensor logits;
  std::map<std::string, Tensor> gradients;
};

Outcome train_once(const char* model, bool plainly) {
  Network network = build_network(read_model(model), Shape{12, 12, 3}, 10);
  network.initialize(3);
  // Enough for several tiles (kElementTile) of batch norms and sums.
  Tensor x = Tensor::persistent(Shape{25, 12, 12, 3});
  Random random(1, Stream::test, 0);
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutable_data()[i] = random.uniform(-1, 1);
  const Network::Tap look = [](const std::string&, const Variable&) {};
  const Variable y = network.forward(Variable(x), Pass::begin(Pass::Mode::train, 1, 0),
                                     plainly ? look : Network::Tap());
  Outcome outcome{y.value(), {}};
  std::vector<std::int32_t> labels;
  for (std::int32_t i = 0; i < 25; ++i) labels.push_back(7 * i % 10);
  backward(softmax_cross_entropy(y, labels));
  for (Parameter* p : network.parameters()) outcome.gradients[p->path()] = p->grad();
  return outcome;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0;
}

}  // namespace

TEST_CASE("nodes that run together give the bits of each by itself") {
  for (const char* model : {kPooled, kResidual}) {
    const Outcome plain = train_once(model, true);
    for (const int threads : {1, 2, 3, 7}) {
      const int before = thread_count();
      set_thread_count(threads);
      const Outcome fused = train_once(model, false);
      set_thread_count(before);
      CHECK(same_bits(plain.logits, fused.logits));
      for (const auto& entry : plain.gradients) {
        const auto& path = entry.first;
        const Tensor& gradient = entry.second;
        INFO(path, ", threads ", threads);
        const Tensor& other = fused.gradients.at(path);
        if (path.ends_with(".bias") && path.starts_with("conv")) {
          for (std::int64_t i = 0; i < gradient.size(); ++i) {
            CHECK(other.data()[i] == doctest::Approx(gradient.data()[i]).epsilon(1e-4));
          }
        } else {
          CHECK(same_bits(gradient, other));
        }
      }
    }
  }
}

TEST_CASE("pools move in front of relus and into convolutions, relus into batch norms and sums") {
  const auto steps = [](const char* model) {
    const Network network = build_network(read_model(model), Shape{12, 12, 3}, 10);
    std::vector<std::string> kinds;
    for (const ExecutionStep& step : fused_execution(network.nodes())) {
      const auto* first = dynamic_cast<const Module*>(step.first);
      kinds.push_back((first ? std::string(first->kind()) + "+" : "") +
                      std::string(step.module->kind()));
    }
    return kinds;
  };
  CHECK(steps(kPooled) == std::vector<std::string>{"conv2d+max_pool2d", "relu", "conv2d+max_pool2d",
                                                   "relu6", "flatten", "dense"});
  CHECK(steps(kResidual) == std::vector<std::string>{"conv2d", "batch_norm+relu",
                                                     "depthwise_conv2d", "batch_norm+relu6",
                                                     "conv2d", "batch_norm", "add", "max_pool2d",
                                                     "relu", "flatten", "dense"});
}

TEST_CASE("a node with two readers is left alone") {
  const char* model = R"([
    {"kind": "conv2d", "name": "conv", "filters": 4, "kernel": 3, "padding": 1},
    {"kind": "max_pool2d", "name": "pool"},
    {"kind": "avg_pool2d", "name": "mean", "inputs": ["conv"]},
    {"kind": "add", "inputs": ["pool", "mean"]},
    {"kind": "flatten"}, {"kind": "dense", "units": 10}])";
  const Network network = build_network(read_model(model), Shape{12, 12, 3}, 10);
  for (const ExecutionStep& step : fused_execution(network.nodes())) CHECK(step.first == nullptr);
}

}  // namespace pare::testing
