#include "apps/lib/bench_training.h"

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

Network make_network(const std::string& net) {
  const NetworkRow& row = row_of(net);
  const RunConfig run = load_run_config(find_config(row.config));
  return build_network(run.model, row.image, kClasses);
}

}  // namespace

void require_network(const std::string& net) { row_of(net); }

Training::Training(const std::string& net, std::int64_t batch, bool qat)
    : Training(net, batch, qat ? std::optional(QuantizeConfig()) : std::nullopt, std::nullopt) {}

Training::Training(const std::string& net, std::int64_t batch,
                   const std::optional<QuantizeConfig>& quantize, std::optional<double> ema)
    : network_(make_network(net)) {
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

}  // namespace pare::bench
