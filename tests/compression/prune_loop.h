// A training loop of a few lines around one prune method: SGD with momentum on random images, so
// that a test can look at masks, gradients and moments between any two moments of a step.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compression/prune/mask.h"
#include "compression/prune_method.h"
#include "framework/config/config.h"
#include "framework/ops/ops.h"
#include "framework/random.h"
#include "layers/model_config.h"

namespace pare {

inline PruneConfig prune_config(const std::string& text) {
  return config::read<PruneConfig>(config::load_text(text, "x"));
}

inline Network network_of_text(const std::string& nodes, const Shape& input) {
  Network network = network_from_json(nlohmann::ordered_json::parse(nodes), input);
  network.initialize(7);
  return network;
}

// conv - batch norm - relu - pool - dense - relu - dense on [6, 6, 2], four classes.
inline Network prunable_network() {
  return network_of_text(R"([
    {"name": "conv", "kind": "conv2d", "filters": 8, "kernel": 3, "padding": "same", "bias": true},
    {"name": "norm", "kind": "batch_norm"}, {"name": "r1", "kind": "relu"},
    {"name": "pool", "kind": "max_pool2d", "size": 2}, {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "units": 12}, {"name": "r2", "kind": "relu"},
    {"name": "last", "kind": "dense", "units": 4}])",
                         {6, 6, 2});
}

class PruneLoop {
 public:
  PruneLoop(Network network, const std::string& config, std::int64_t steps)
      : network_(std::move(network)),
        config_(prune_config(config)),
        method_(config_, Composition::mask_then_quantize),
        steps_(steps) {
    method_.attach(network_);
  }

  double learning_rate = 0.05, decay = 0;
  // Called after backward(), when gradients are there.
  std::function<void()> after_backward = [] {};

  Network& network() { return network_; }
  PruneMethod& method() { return method_; }
  std::int64_t step_number() const { return step_; }
  Parameter& parameter(const std::string& path) {
    for (Parameter* p : network_.parameters()) {
      if (p->path() == path) return *p;
    }
    FAIL("no parameter ", path);
    return *network_.parameters()[0];
  }
  const std::vector<std::uint8_t>& keep(const std::string& path) {
    return dynamic_cast<Mask&>(*parameter(path).find(kMask)).keep();
  }
  Tensor& moment(const Parameter& p) {
    Tensor& moment = moments_[p.path()];
    if (!moment.defined()) moment = Tensor::persistent(p.shape());
    return moment;
  }
  std::vector<float> value(const std::string& path) {
    const NoGradient no_gradient;
    const Tensor v = parameter(path).value(Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
    const std::vector<float> copy(v.values().begin(), v.values().end());
    parameter(path).release();
    return copy;
  }

  MethodStep now() {
    MethodStep step{.span = {steps_, static_cast<double>(steps_)},
                    .step = step_,
                    .run_step = static_cast<std::uint64_t>(step_),
                    .seed = 1,
                    .applied_here = true,
                    .learning_rate = learning_rate,
                    .regularized = decay > 0};
    step.visit_moments = [this](const Parameter& p, const std::function<void(Tensor&)>& visit) {
      visit(moment(p));
    };
    return step;
  }

  void step() {
    method_.before_step(now());
    const Network::Tap tap = [this](const std::string& node, const Variable& v) {
      if (method_.wants_outputs()) method_.see_output(node, v.value());
    };
    const auto step = static_cast<std::uint64_t>(step_);
    std::vector<std::int32_t> labels;
    const Tensor images = batch(step, labels);
    const Variable logits =
        network_.forward(Variable(images), Pass::begin(Pass::Mode::train, 1, step), tap);
    backward(softmax_cross_entropy(logits, labels, 0.0f));
    method_.after_backward(now());
    after_backward();
    update();
    method_.after_step(now());
    ++step_;
  }
  void run() {
    while (step_ < steps_) step();
  }

 private:
  Tensor batch(std::uint64_t step, std::vector<std::int32_t>& labels) const {
    Random random(1, Stream::test, step);
    Tensor images = Tensor::persistent(network_.shape_of(kInputNode).with_batch(8));
    float* x = images.mutable_data();
    const std::int64_t each = images.size() / 8;
    const auto classes = static_cast<std::uint32_t>(network_.shape_of(network_.output())[-1]);
    for (std::int64_t i = 0; i < images.size(); ++i) x[i] = static_cast<float>(random.normal());
    for (std::int64_t b = 0; b < 8; ++b) {
      labels.push_back(static_cast<std::int32_t>(random.below(classes)));
      x[b * each + labels.back()] += 3;  // something to learn
    }
    return images;
  }

  void update() {
    for (Parameter* p : network_.parameters()) {
      if (!p->grad().defined()) continue;
      const std::vector<float> g(p->grad().values().begin(), p->grad().values().end());
      p->release();
      float *w = p->latent().mutable_data(), *v = moment(*p).mutable_data();
      for (std::size_t i = 0; i < g.size(); ++i) {
        v[i] = 0.9f * v[i] + g[i] + static_cast<float>(decay) * w[i];
        w[i] -= static_cast<float>(learning_rate) * v[i];
      }
    }
    network_.release();
  }

  Network network_;
  PruneConfig config_;
  PruneMethod method_;
  std::int64_t steps_, step_ = 0;
  std::map<std::string, Tensor> moments_;
};

}  // namespace pare
