#include "apps/lib/bench_training.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/diverged.h"
#include "apps/lib/run_config.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/random.h"

namespace pare::bench {
namespace {

constexpr int kBatches = 16;
constexpr int kClasses = 10;

struct NetworkRow {
  const char* net;
  const char* config;
  Shape image;
};

const NetworkRow& row_of(const std::string& net) {
  static const NetworkRow rows[] = {{"N1", "lenet_300_100.json", {28, 28, 1}},
                                    {"N2", "document_cnn.json", {28, 28, 1}},
                                    {"N3", "lenet_5.json", {28, 28, 1}},
                                    {"N4", "cifar10/document_cnn.json", {32, 32, 3}},
                                    {"N5", "cifar10/resnet20.json", {32, 32, 3}}};
  std::vector<std::string> names;
  for (const NetworkRow& row : rows) {
    if (net == row.net) return row;
    names.push_back(row.net);
  }
  throw ConfigError("--net " + net + suggestion(net, names) + ": expected " + join(names, ", "));
}

OptimizerConfig optimizer_of(const std::string& net) {
  OptimizerConfig config;
  if (net == "N2") return config;
  config.kind = "sgd";
  config.sgd.momentum = 0.9;
  config.learning_rate = Schedule::constant(0.01);
  return config;
}

Network make_network(const std::string& net, std::int64_t width) {
  const NetworkRow& row = row_of(net);
  const RunConfig run = load_run_config(find_config(row.config));
  Network network = build_network(run.model, row.image, kClasses);
  if (width == 1) return network;
  nlohmann::ordered_json nodes = network.to_json();
  for (nlohmann::ordered_json& node : nodes) {
    if (node["name"] == network.output()) continue;
    for (const char* key : {"filters", "units"}) {
      if (node.contains(key)) node[key] = node[key].get<std::int64_t>() * width;
    }
  }
  return network_from_json(nodes, row.image);
}

}  // namespace

void require_network(const std::string& net) { row_of(net); }

Training::Training(const std::string& net, std::int64_t batch, bool qat, std::int64_t width)
    : Training(net, batch, qat ? std::optional(QuantizeConfig()) : std::nullopt, std::nullopt,
               width) {}

Training::Training(const std::string& net, std::int64_t batch,
                   const std::optional<QuantizeConfig>& quantize, std::optional<double> ema,
                   std::int64_t width)
    : network_(make_network(net, width)), batch_(batch) {
  network_.initialize(1);
  if (quantize) {
    quantize_ = std::make_unique<QuantizeMethod>(*quantize, Composition::mask_then_quantize);
    quantize_->attach(network_);
  }
  OptimizerConfig optimizer = optimizer_of(net);
  optimizer.ema = ema;
  optimizer_ = std::make_unique<PhaseOptimizer>(optimizer, network_);
  Random random(1, Stream::test, 0);
  for (int i = 0; i < kBatches; ++i) {
    Tensor& images =
        images_.emplace_back(Tensor::persistent(network_.shape_of(kInputNode).with_batch(batch)));
    float* values = images.mutable_data();
    for (std::int64_t k = 0; k < images.size(); ++k) values[k] = random.uniform();
    auto& labels = labels_.emplace_back();
    for (std::int64_t k = 0; k < batch; ++k) {
      labels.push_back(static_cast<std::int32_t>(random.uniform() * kClasses));
    }
  }
}

void Training::step() {
  const std::size_t i = step_ % kBatches;
  const Variable logits =
      network_.forward(Variable(images_[i]), Pass::begin(Pass::Mode::train, 1, step_++));
  backward(loss_of(LossConfig(), logits, labels_[i]));
  if (!first_bad_gradient(network_).empty()) throw DivergedError("the benchmark diverged");
  optimizer_->step(0.001);
}

double Training::flops() const {
  std::int64_t macs = 3 * network_.macs();
  std::set<std::string> fixed{std::string(kInputNode)};  // nothing before them is trained
  for (const NetworkNode& node : network_.nodes()) {
    const auto is_fixed = [&](const std::string& name) { return fixed.contains(name); };
    if (!std::all_of(node.inputs.begin(), node.inputs.end(), is_fixed)) continue;
    macs -= node.module->macs();
    bool trained = false;
    node.module->visit_parameters([&](Parameter&) { trained = true; });
    if (!trained) fixed.insert(node.name);
  }
  return 2.0 * static_cast<double>(batch_ * macs);
}

}  // namespace pare::bench
