#include "compression/quantize_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/groups.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr int kEndBits = 8;  // of the network's input and output

// The method's quantizer with other bits; uniform where it has none of that many.
template <class Config>
Config with_bits(Config config, int bits) {
  const QuantizerRow& row = quantizer_row(config.quantizer);
  if (!has_bits(row, bits)) config = Config();
  config.set_bits(bits);
  return config;
}

// Learned and fixed ranges that begin at zero need a relu; elsewhere they are symmetric.
ActivationQuantizerConfig resolved(ActivationQuantizerConfig config, bool behind_relu) {
  if (quantizer_row(config.quantizer).zero_at_ends && !behind_relu)
    config.scheme = Scheme::symmetric;
  return config;
}

void require_matches(const std::vector<OverrideConfig>& overrides, const Network& network) {
  std::vector<std::string> names = {std::string(kInputNode)};
  for (const NetworkNode& node : network.nodes()) names.push_back(node.name);
  for (const OverrideConfig& override : overrides) {
    const bool found = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return matches(override.match, name);
    });
    if (found) continue;
    throw ConfigError(fmt::format("overrides: pattern '{}' matches no node{}; there are: {}",
                                  override.match, suggestion(override.match, names),
                                  join(names, ", ")));
  }
}

// `owner`: the node whose edge has the grid that a node puts out.
template <class Owner>
void require_edges(const std::vector<OverrideConfig>& overrides, const Network& network,
                   const std::map<std::string, std::set<std::string>>& edges, const Owner& owner) {
  std::vector<std::string> names;
  for (const auto& [tail, group] : edges) {
    for (const std::string& name : group) {
      if (!name.empty()) names.push_back(name);
    }
  }
  const auto is_matched = [](const OverrideConfig& override) {
    return [&](const std::string& name) { return matches(override.match, name); };
  };
  for (const OverrideConfig& override : overrides) {
    if (!override.sets_activations || std::ranges::any_of(names, is_matched(override))) continue;
    const auto node =
        std::ranges::find_if(network.nodes(), is_matched(override), &NetworkNode::name);
    throw ConfigError(
        fmt::format("overrides: 'activations' of pattern '{}' would change nothing: '{}' has no "
                    "grid of its own (did you mean '{}'?); what has one is behind: {}",
                    override.match, node->name, owner(node->name), join(names, ", ")));
  }
}

std::vector<std::string> nodes_with_weights(const Network& network) {
  std::vector<std::string> names;
  for (const NetworkNode& node : network.nodes()) {
    if (dynamic_cast<const Weighted*>(node.module.get())) names.push_back(node.name);
  }
  return names;
}

}  // namespace

QuantizeChoice::QuantizeChoice(const QuantizeConfig& config, const Network& network)
    : config_(config) {
  require_matches(config.overrides, network);
  edges_[std::string(kInputNode)] = {std::string(kInputNode)};
  for (const Group& group : find_groups(network)) {
    edges_[group.tail()] = {group.head, group.batch_norm, group.activation};
    if (!group.activation.empty()) behind_relu_.insert(group.tail());
  }
  // The edge whose grid `name` puts out: pools, flatten and the like share that of their input.
  const auto owner = [&](std::string name) {
    while (!edges_.contains(name)) name = network.node(name).inputs[0];
    return name;
  };
  require_edges(config.overrides, network, edges_, owner);
  output_ = owner(network.output());
  const std::vector<std::string> weighted = nodes_with_weights(network);
  if (weighted.empty()) return;
  for (const std::string& node : {weighted.front(), weighted.back()}) {
    first_last_.insert(node);
    enter_first_last_.insert(owner(network.node(node).inputs[0]));
  }
}

std::optional<WeightQuantizerConfig> QuantizeChoice::weights(const std::string& node) const {
  for (const OverrideConfig& override : config_.overrides) {
    if (override.sets_weights && matches(override.match, node)) return override.weights;
  }
  std::optional<WeightQuantizerConfig> own = config_.weights;
  if (own && config_.first_last_bits && first_last_.contains(node)) {
    return with_bits(*own, *config_.first_last_bits);
  }
  return own;
}

std::optional<ActivationQuantizerConfig> QuantizeChoice::activations(
    const std::string& node) const {
  std::optional<ActivationQuantizerConfig> choice = chosen(node);
  if (choice) choice = resolved(*choice, behind_relu_.contains(node));
  return choice;
}

std::optional<ActivationQuantizerConfig> QuantizeChoice::chosen(const std::string& node) const {
  const std::set<std::string>& names = edges_.at(node);
  for (const OverrideConfig& override : config_.overrides) {
    const bool here = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return !name.empty() && matches(override.match, name);
    });
    if (override.sets_activations && here) return override.activations;
  }
  std::optional<ActivationQuantizerConfig> own = config_.activations;
  if (!own) return own;
  if (node == kInputNode || node == output_) {
    const QuantizerRow& row = quantizer_row(own->quantizer);
    // Nobody multiplies logits, and codes without a grid say nothing of them.
    if (row.at_run_time && node == output_) return std::nullopt;
    // The data's and the logits' range is not for a quantizer to choose that knows another one.
    if (!row.observes && !row.at_run_time) own = ActivationQuantizerConfig();
    own->bits = kEndBits;
    own->rounding = RoundingMode::nearest;
  } else if (config_.first_last_bits && enter_first_last_.contains(node)) {
    own = with_bits(*own, *config_.first_last_bits);
  }
  return own;
}

}  // namespace pare
