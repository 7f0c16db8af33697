#include "compression/equalize.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compression/groups.h"
#include "compression/prune/mask.h"
#include "compression/quantize/grid.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr int kSweeps = 20;
constexpr double kSettled = 1e-3;

// A layer, its batch norm or null, and the layer that alone reads it.
struct Pair {
  Weighted* first;
  BatchNorm* batch_norm;
  Weighted* second;
  bool depthwise;  // the second: its channel c reads channel c / multiplier
};

Weighted* weighted(const NetworkNode& node) { return dynamic_cast<Weighted*>(node.module.get()); }

// The layer that alone reads `name` through nodes that treat every channel alike.
const NetworkNode* next_layer(const Network& network, std::string name) {
  for (;;) {
    const std::vector<std::string> readers = network.readers(name);
    if (readers.size() != 1) return nullptr;
    const NetworkNode& node = network.node(readers[0]);
    if (weighted(node)) return &node;
    const std::string_view kind = node.module->kind();
    const bool passes = kind == "max_pool2d" || kind == "avg_pool2d" || kind == "flatten" ||
                        kind == "dropout" || kind == "relu";
    if (!passes) return nullptr;
    name = node.name;
  }
}

std::optional<Pair> pair_from(const Network& network, const Group& group) {
  Weighted* first = weighted(network.node(group.head));
  const bool homogeneous =
      group.activation.empty() || network.node(group.activation).module->kind() == "relu";
  if (!first || !homogeneous) return std::nullopt;
  const NetworkNode* next = next_layer(network, group.tail());
  if (!next) return std::nullopt;
  const auto* conv = dynamic_cast<const Conv2d*>(next->module.get());
  if (conv && conv->groups() > 1) return std::nullopt;
  auto* norm = group.batch_norm.empty()
                   ? nullptr
                   : dynamic_cast<BatchNorm*>(network.node(group.batch_norm).module.get());
  return Pair{first, norm, weighted(*next), next->module->kind() == "depthwise_conv2d"};
}

// What the layer computes with: a latent value that a mask hides is in nobody's range, however
// large it is.
Tensor masked(const Parameter& parameter) {
  Transform* mask = parameter.find(kMask);
  if (!mask) return parameter.latent();
  const NoGradient no_gradient;
  return mask->apply(Variable(parameter.latent()), Pass()).value();
}

// |scale| / sqrt(variance + epsilon), which every output channel is multiplied by.
void multiply_by_batch_norm(std::vector<double>& ranges, const BatchNorm& norm) {
  const Tensor scale = masked(norm.scale());
  for (std::size_t c = 0; c < ranges.size(); ++c)
    ranges[c] *= std::fabs(static_cast<double>(scale.data()[c])) /
                 std::sqrt(static_cast<double>(norm.variance().data()[c]) + norm.epsilon());
}

// The largest |w| of every output channel.
std::vector<double> output_ranges(const Pair& pair) {
  const Parameter& weight = pair.first->weight();
  const Tensor w = masked(weight);
  const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
  std::vector<double> ranges(static_cast<std::size_t>(view.channels), 0);
  for (std::int64_t i = 0; i < w.size(); ++i) {
    double& range = ranges[static_cast<std::size_t>(i / view.inner % view.channels)];
    range = std::max(range, std::fabs(static_cast<double>(w.data()[i])));
  }
  if (pair.batch_norm) multiply_by_batch_norm(ranges, *pair.batch_norm);
  return ranges;
}

// The channel that element i of the second layer's weight reads. Behind a flatten the channel is
// the last part of a pixel's index.
std::size_t input_channel(const Pair& pair, std::int64_t i, std::int64_t channels) {
  const std::int64_t last = pair.second->weight().shape()[-1];
  const std::int64_t at = i % last;
  return static_cast<std::size_t>(pair.depthwise ? at / (last / channels) : at % channels);
}

// The largest |w| of every channel that the second layer reads.
std::vector<double> input_ranges(const Pair& pair, std::int64_t channels) {
  const Tensor w = masked(pair.second->weight());
  std::vector<double> ranges(static_cast<std::size_t>(channels), 0);
  for (std::int64_t i = 0; i < w.size(); ++i) {
    double& range = ranges[input_channel(pair, i, channels)];
    range = std::max(range, std::fabs(static_cast<double>(w.data()[i])));
  }
  return ranges;
}

// The first layer's channels / s, what reads them * s. Masked values too: one that comes back fits
// its channel.
void rescale(const Pair& pair, const std::vector<float>& s) {
  const auto channels = static_cast<std::int64_t>(s.size());
  const auto divide = [&](Tensor& tensor, const ChannelView& view) {
    float* values = tensor.mutable_data();
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      values[i] /= s[static_cast<std::size_t>(i / view.inner % view.channels)];
  };
  const ChannelView per_channel{1, channels, 1};
  if (pair.batch_norm) {
    divide(pair.batch_norm->scale().latent(), per_channel);
    divide(pair.batch_norm->shift().latent(), per_channel);
  } else {
    Parameter& weight = pair.first->weight();
    divide(weight.latent(), channel_view(weight.shape(), weight.channel_axis()));
    if (Parameter* bias = pair.first->bias()) divide(bias->latent(), per_channel);
  }
  Tensor& readers = pair.second->weight().latent();
  float* values = readers.mutable_data();
  for (std::int64_t i = 0; i < readers.size(); ++i)
    values[i] *= s[input_channel(pair, i, channels)];
}

// Returns the largest |log s|.
double equalize_pair(const Pair& pair) {
  const std::vector<double> first = output_ranges(pair);
  const std::vector<double> second = input_ranges(pair, std::ssize(first));
  std::vector<float> s(first.size(), 1.0f);
  double moved = 0;
  for (std::size_t c = 0; c < s.size(); ++c) {
    if (first[c] == 0 || second[c] == 0) continue;  // a dead channel has no range to share
    s[c] = static_cast<float>(std::sqrt(first[c] / second[c]));
    moved = std::max(moved, std::fabs(std::log(static_cast<double>(s[c]))));
  }
  rescale(pair, s);
  return moved;
}

}  // namespace

int equalize(Network& network) {
  network.release();  // writing needs sole ownership
  std::vector<Pair> pairs;
  for (const Group& group : find_groups(network)) {
    if (const auto pair = pair_from(network, group)) pairs.push_back(*pair);
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double moved = 0;
    for (const Pair& pair : pairs) moved = std::max(moved, equalize_pair(pair));
    if (moved < kSettled) break;
  }
  return static_cast<int>(pairs.size());
}

}  // namespace pare
