#include "compression/groups.h"

#include <algorithm>
#include <array>
#include <set>

#include "compression/quantize/activation_quantizer.h"

namespace pare {
namespace {

bool is_one_of(std::string_view kind, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// The only reader of a node, or null.
const NetworkNode* only_reader(const Network& network, const std::string& name) {
  const std::vector<std::string> readers = network.readers(name);
  return readers.size() == 1 ? network.find(readers[0]) : nullptr;
}

bool is_relu(const NetworkNode& node) { return is_one_of(node.module->kind(), {"relu", "relu6"}); }

// Whether a relu that no group took in alone reads an edge that no relu has clamped yet.
bool clamps_first_and_alone(const Network& network, const NetworkNode& relu) {
  for (std::string name = relu.inputs[0]; only_reader(network, name);) {
    const NetworkNode* node = network.find(name);
    if (!node) return true;  // the network's input
    if (is_relu(*node)) return false;
    if (!is_one_of(node->module->kind(), {"max_pool2d", "avg_pool2d", "flatten", "dropout",
                                          "fake_quant", "average_codes"})) {
      return true;
    }
    name = node->inputs[0];
  }
  return false;
}

bool starts_group(const Network& network, const NetworkNode& node) {
  if (is_relu(node)) return !clamps_first_and_alone(network, node);
  return is_one_of(node.module->kind(), {"conv2d", "depthwise_conv2d", "dense", "add",
                                         "global_avg_pool2d", "batch_norm"});
}

Group group_from(const Network& network, const NetworkNode& head) {
  Group group{.head = head.name, .batch_norm = "", .activation = ""};
  if (is_relu(head)) {
    group.activation = head.name;
    return group;
  }
  const std::string_view kind = head.module->kind();
  if (kind == "batch_norm") group.batch_norm = head.name;
  const NetworkNode* next = only_reader(network, head.name);
  if (next && is_one_of(kind, {"conv2d", "depthwise_conv2d", "dense"}) &&
      next->module->kind() == "batch_norm") {
    group.batch_norm = next->name;
    next = only_reader(network, next->name);
  }
  if (next && is_relu(*next)) group.activation = next->name;
  return group;
}

}  // namespace

std::vector<Group> find_groups(const Network& network) {
  std::vector<Group> groups;
  std::set<std::string> taken;
  for (const NetworkNode& node : network.nodes()) {
    if (taken.contains(node.name) || !starts_group(network, node)) continue;
    groups.push_back(group_from(network, node));
    taken.insert({node.name, groups.back().batch_norm, groups.back().activation});
  }
  return groups;
}

std::string edge_of(const Network& network, std::string_view name) {
  const NetworkNode* node = network.find(name);
  while (node && is_one_of(node->module->kind(), {"fake_quant", "average_codes", "dropout"})) {
    name = node->inputs[0];
    node = network.find(name);
  }
  return std::string(name);
}

const ActivationQuantizer* edge_quantizer(const Network& network, std::string_view name) {
  const NetworkNode* reader = only_reader(network, std::string(name));
  return reader ? dynamic_cast<const ActivationQuantizer*>(reader->module.get()) : nullptr;
}

const ActivationQuantizer* grid_source(const Network& network, std::string_view name) {
  for (;;) {
    if (const ActivationQuantizer* own = edge_quantizer(network, name)) return own;
    const NetworkNode* node = network.find(name);
    if (!node) return nullptr;
    if (const auto* own = dynamic_cast<const ActivationQuantizer*>(node->module.get())) return own;
    const bool shares = is_one_of(
        node->module->kind(),
        {"max_pool2d", "avg_pool2d", "flatten", "dropout", "relu", "relu6", "average_codes"});
    if (!shares || node->inputs.size() != 1) return nullptr;
    name = node->inputs[0];
  }
}

}  // namespace pare
