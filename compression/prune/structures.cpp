#include "compression/prune/structures.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compression/channels.h"
#include "compression/prune/effect.h"
#include "compression/quantize/grid.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"

namespace pare {
namespace {

Weighted* weighted(const Network& network, const std::string& node) {
  return dynamic_cast<Weighted*>(network.node(node).module.get());
}

bool has(const std::vector<Parameter*>& parameters, const Parameter& parameter) {
  return std::find(parameters.begin(), parameters.end(), &parameter) != parameters.end();
}

void finish(PruneTarget& target, std::int64_t groups) {
  target.name = target.parts.at(0).parameter->path();
  target.groups = groups;
  target.keep.assign(static_cast<std::size_t>(groups), 1);
}

// The group of every element from that of its channel along `axis`.
std::vector<std::int32_t> spread(const Shape& shape, int axis,
                                 const std::vector<std::int32_t>& of_channel) {
  const ChannelView view = channel_view(shape, axis);
  std::vector<std::int32_t> groups;
  groups.reserve(static_cast<std::size_t>(shape.size()));
  for (std::int64_t k = 0; k < shape.size(); ++k) {
    groups.push_back(of_channel[static_cast<std::size_t>(k / view.inner % view.channels)]);
  }
  return groups;
}

PrunePart part_of(Parameter& parameter, const std::vector<std::int32_t>& units, bool scored,
                  bool in_effect) {
  return {.parameter = &parameter,
          .mask = nullptr,
          .groups = spread(parameter.shape(), parameter.channel_axis(), units),
          .scored = scored,
          .in_effect = in_effect};
}

// All parameters of a node that make its channels.
void add_parts(const Network& network, const std::string& node,
               const std::vector<std::int32_t>& units, std::vector<PrunePart>& parts) {
  Module* module = network.node(node).module.get();
  if (auto* layer = dynamic_cast<Weighted*>(module)) {
    const bool in_effect = !is_normalised(network, node);
    parts.push_back(part_of(layer->weight(), units, true, in_effect));
    if (Parameter* bias = layer->bias()) parts.push_back(part_of(*bias, units, false, in_effect));
  } else if (auto* norm = dynamic_cast<BatchNorm*>(module)) {
    parts.push_back(part_of(norm->scale(), units, false, true));
    parts.push_back(part_of(norm->shift(), units, false, true));
  }
}

bool is_activation(const Network& network, const std::string& node) {
  const std::string_view kind = network.node(node).module->kind();
  return kind == "relu" || kind == "relu6";
}

// --- What reads channels.

// The input channel's unit of every element of a weight.
std::vector<std::int32_t> units_read(const Network& network, const Channels& channels,
                                     const std::string& node) {
  const NetworkNode& reader = network.node(node);
  const std::vector<std::int32_t>& units = channels.units_of(reader.inputs[0]);
  const Shape& shape = weighted(network, node)->weight().shape();
  const auto* conv = dynamic_cast<const Conv2d*>(reader.module.get());
  const std::int64_t inputs = shape[-1];
  const std::int64_t outputs_of_group = shape[0] / (conv ? conv->groups() : 1);
  const std::int64_t each = shape.size_from(1);
  std::vector<std::int32_t> groups;
  for (std::int64_t k = 0; k < shape.size(); ++k) {
    const std::int64_t group = k / each / outputs_of_group;
    groups.push_back(units[static_cast<std::size_t>(group * inputs + k % inputs)]);
  }
  return groups;
}

PrunePart reader_part(const Network& network, const Channels& channels, const std::string& node) {
  return {.parameter = &weighted(network, node)->weight(),
          .mask = nullptr,
          .groups = units_read(network, channels, node),
          .scored = true,
          .in_effect = true};
}

// --- Filters and neurons.

std::vector<std::string> weighted_nodes(const Network& network, const ChannelSpace& space) {
  std::vector<std::string> nodes = space.makers;
  for (const std::string& node : space.followers) {
    if (weighted(network, node)) nodes.push_back(node);
  }
  return nodes;
}

// Whether the space's structures are to be pruned: all of its weights are selected, or none.
bool is_selected(const Network& network, const ChannelSpace& space,
                 const std::vector<Parameter*>& selected) {
  std::vector<std::string> in, out;
  for (const std::string& node : weighted_nodes(network, space)) {
    const Parameter& weight = weighted(network, node)->weight();
    (has(selected, weight) ? in : out).push_back(weight.path());
  }
  if (in.empty() || out.empty()) return out.empty();
  throw ConfigError(fmt::format(
      "include, exclude: the filters of {} and {} make the same channels (they meet in an add, or "
      "one follows the other), so they are pruned together; include or exclude all of them",
      join(in, ", "), join(out, ", ")));
}

bool makes(const Network& network, const ChannelSpace& space, PruneGranularity granularity) {
  const bool neurons = std::all_of(
      space.makers.begin(), space.makers.end(),
      [&](const std::string& node) { return network.node(node).module->kind() == "dense"; });
  return neurons == (granularity == PruneGranularity::neuron);
}

PruneTarget maker_target(const Network& network, const Channels& channels,
                         const ChannelSpace& space) {
  PruneTarget target;
  for (const auto* nodes : {&space.makers, &space.followers}) {
    for (const std::string& node : *nodes) {
      add_parts(network, node, channels.units_of(node), target.parts);
      if (is_activation(network, node)) target.outputs.push_back({node, channels.units_of(node)});
    }
  }
  for (const std::string& node : space.readers)
    target.readers.push_back(reader_part(network, channels, node));
  finish(target, space.units);
  return target;
}

// --- Residual branches.

// The nodes between `skip` and the end of a branch, where they serve nothing but the add; empty
// where they do not.
std::vector<std::string> branch_between(const Network& network, const std::string& skip,
                                        const std::string& end, const std::string& add) {
  std::vector<std::string> branch, open = {end};
  while (!open.empty()) {
    const std::string node = open.back();
    open.pop_back();
    if (node == skip || std::find(branch.begin(), branch.end(), node) != branch.end()) continue;
    if (node == kInputNode) return {};
    branch.push_back(node);
    const std::vector<std::string>& inputs = network.node(node).inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  for (const std::string& node : branch) {
    for (const std::string& reader : network.readers(node)) {
      const bool inside = std::find(branch.begin(), branch.end(), reader) != branch.end();
      if (!inside && reader != add) return {};
    }
  }
  return branch;
}

std::vector<std::string> branch_of(const Network& network, const NetworkNode& add) {
  for (const auto& [skip, end] :
       {std::pair(add.inputs[0], add.inputs[1]), std::pair(add.inputs[1], add.inputs[0])}) {
    if (skip == end) continue;
    const std::vector<std::string> branch = branch_between(network, skip, end, add.name);
    const bool weights = std::any_of(branch.begin(), branch.end(), [&](const std::string& node) {
      return weighted(network, node) != nullptr;
    });
    if (weights) return branch;
  }
  return {};
}

}  // namespace

PruneTarget weight_target(Parameter& weight, const PruneConfig& config) {
  PruneTarget target;
  target.parts.push_back(
      {.parameter = &weight, .mask = nullptr, .groups = {}, .scored = true, .in_effect = true});
  if (weight.channel_axis() != 0 && config.granularity != PruneGranularity::element) {
    throw ConfigError(fmt::format(
        "granularity: '{}' is depthwise, whose outputs read one channel each; exclude it",
        weight.path()));
  }
  const std::int64_t outputs = weight.channels(), inputs = weight.shape().size() / outputs;
  const auto expect_multiple = [&](const char* key, std::int64_t size, std::int64_t of,
                                   const char* what) {
    if (size % of == 0) return;
    throw ConfigError(fmt::format(
        "{}: '{}' has {} {}, expected a multiple of {}; exclude it, or choose another size", key,
        weight.path(), size, what, of));
  };
  if (config.granularity == PruneGranularity::n_m) {
    target.window = config.pattern.value_or(Pattern());
    expect_multiple("pattern", inputs, target.window.m, "weights per output");
  }
  if (config.granularity != PruneGranularity::block) {
    finish(target, weight.shape().size());
    return target;
  }
  const Extent block = *config.block_size;
  expect_multiple("block_size", outputs, block.h, "outputs");
  expect_multiple("block_size", inputs, block.w, "weights per output");
  const std::int64_t across = inputs / block.w;
  for (std::int64_t k = 0; k < weight.shape().size(); ++k) {
    const std::int64_t row = k / inputs / block.h, column = k % inputs / block.w;
    target.parts[0].groups.push_back(static_cast<std::int32_t>(row * across + column));
  }
  finish(target, outputs / block.h * across);
  return target;
}

std::vector<PruneTarget> maker_targets(const Network& network,
                                       const std::vector<Parameter*>& selected,
                                       const PruneConfig& config) {
  const Channels channels(network);
  std::vector<PruneTarget> targets;
  for (const ChannelSpace& space : channels.spaces()) {
    const bool prunable = !space.input && !space.output && !space.makers.empty();
    if (!prunable || !makes(network, space, config.granularity)) continue;
    if (is_selected(network, space, selected))
      targets.push_back(maker_target(network, channels, space));
  }
  return targets;
}

std::vector<PruneTarget> reader_targets(const Network& network,
                                        const std::vector<Parameter*>& selected) {
  const Channels channels(network);
  std::vector<PruneTarget> targets;
  for (const ChannelSpace& space : channels.spaces()) {
    if (space.input) continue;
    PruneTarget target;
    for (const std::string& node : space.readers) {
      if (has(selected, weighted(network, node)->weight()))
        target.parts.push_back(reader_part(network, channels, node));
    }
    if (target.parts.empty()) continue;
    finish(target, space.units);
    targets.push_back(std::move(target));
  }
  return targets;
}

std::vector<PruneTarget> branch_targets(const Network& network,
                                        const std::vector<Parameter*>& selected) {
  PruneTarget target;
  std::int32_t branches = 0;
  std::set<std::string> taken;  // a branch inside another one goes with it
  const auto& nodes = network.nodes();
  for (auto add = nodes.rbegin(); add != nodes.rend(); ++add) {
    if (add->module->kind() != "add" || taken.contains(add->name)) continue;
    const std::vector<std::string> branch = branch_of(network, *add);
    const bool wanted = std::all_of(branch.begin(), branch.end(), [&](const std::string& node) {
      const Weighted* layer = weighted(network, node);
      return !layer || has(selected, layer->weight());
    });
    if (branch.empty() || !wanted) continue;
    for (const std::string& node : branch) {
      const auto channels = static_cast<std::size_t>(network.shape_of(node)[-1]);
      add_parts(network, node, std::vector<std::int32_t>(channels, branches), target.parts);
    }
    taken.insert(branch.begin(), branch.end());
    ++branches;
  }
  if (branches == 0) return {};
  finish(target, branches);
  return {std::move(target)};
}

std::vector<PruneTarget> find_targets(const Network& network, const PruneConfig& config) {
  const std::vector<Parameter*> selected =
      select_weights(network, {config.include, config.exclude});
  std::vector<PruneTarget> targets;
  const char* nothing = nullptr;
  switch (config.granularity) {
    case PruneGranularity::element:
    case PruneGranularity::n_m:
    case PruneGranularity::block:
      for (Parameter* weight : selected) targets.push_back(weight_target(*weight, config));
      nothing = "no weight is left; take something out of exclude";
      break;
    case PruneGranularity::neuron:
      targets = maker_targets(network, selected, config);
      nothing =
          "neuron prunes outputs of dense layers, but not the network's own, and no other is "
          "selected; try filter (convolutions) or element";
      break;
    case PruneGranularity::filter:
      targets = maker_targets(network, selected, config);
      nothing =
          "filter prunes outputs of convolutions, but not the network's own, and no other is "
          "selected; try neuron (dense layers) or element";
      break;
    case PruneGranularity::channel:
      targets = reader_targets(network, selected);
      nothing =
          "channel prunes what reads a channel, but not the network's own input, and no other "
          "reader is selected; try element";
      break;
    case PruneGranularity::residual_block:
      targets = branch_targets(network, selected);
      nothing =
          "residual_block prunes a branch that an add can do without (its other input is where the "
          "branch began), and no such branch is selected; try filter";
      break;
  }
  if (targets.empty()) throw ConfigError(fmt::format("granularity: {}", nothing));
  return targets;
}

}  // namespace pare
