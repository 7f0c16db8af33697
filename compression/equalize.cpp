#include "compression/equalize.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compression/groups.h"
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

double batch_norm_factor(const BatchNorm& norm, std::size_t c) {
  return std::fabs(static_cast<double>(norm.scale().latent().data()[c])) /
         std::sqrt(static_cast<double>(norm.variance().data()[c]) + norm.epsilon());
}

// The largest |w| of every output channel.
std::vector<double> output_ranges(const Pair& pair) {
  const Parameter& weight = pair.first->weight();
  const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
  std::vector<double> ranges(static_cast<std::size_t>(view.channels), 0);
  for (std::int64_t i = 0; i < weight.shape().size(); ++i) {
    double& range = ranges[static_cast<std::size_t>(i / view.inner % view.channels)];
    range = std::max(range, std::fabs(static_cast<double>(weight.latent().data()[i])));
  }
  for (std::size_t c = 0; c < ranges.size() && pair.batch_norm; ++c)
    ranges[c] *= batch_norm_factor(*pair.batch_norm, c);
  return ranges;
}

// The channel that element i of the second layer's weight reads. Behind a flatten the channel is
// the last part of a pixel's index.
std::size_t input_channel(const Pair& pair, std::int64_t i, std::int64_t channels) {
  const std::int64_t last = pair.second->weight().shape()[-1];
  const std::int64_t at = i % last;
  return static_cast<std::size_t>(pair.depthwise ? at / (last / channels) : at % channels);
}

// Returns the largest |log s|.
double equalize_pair(const Pair& pair) {
  const std::vector<double> first = output_ranges(pair);
  const auto channels = static_cast<std::int64_t>(first.size());
  Tensor& readers = pair.second->weight().latent();
  std::vector<double> second(first.size(), 0);
  for (std::int64_t i = 0; i < readers.size(); ++i) {
    double& range = second[input_channel(pair, i, channels)];
    range = std::max(range, std::fabs(static_cast<double>(readers.data()[i])));
  }
  std::vector<float> s(first.size(), 1.0f);
  double moved = 0;
  for (std::size_t c = 0; c < s.size(); ++c) {
    if (first[c] == 0 || second[c] == 0) continue;  // a dead channel has no range to share
    s[c] = static_cast<float>(std::sqrt(first[c] / second[c]));
    moved = std::max(moved, std::fabs(std::log(static_cast<double>(s[c]))));
  }
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
  float* values = readers.mutable_data();
  for (std::int64_t i = 0; i < readers.size(); ++i)
    values[i] *= s[input_channel(pair, i, channels)];
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
