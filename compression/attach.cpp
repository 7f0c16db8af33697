#include "compression/attach.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/groups.h"
#include "compression/prune/mask.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "layers/pool.h"
#include "layers/weighted.h"

namespace pare {
namespace {

// The weights of convolutions and dense layers first in mind, all parameters as what a pattern may
// name.
std::vector<Parameter*> default_weights(const Network& network) {
  std::vector<Parameter*> weights;
  for (const NetworkNode& node : network.nodes()) {
    if (auto* weighted = dynamic_cast<Weighted*>(node.module.get()))
      weights.push_back(&weighted->weight());
  }
  return weights;
}

std::vector<std::string> paths(const std::vector<Parameter*>& parameters) {
  std::vector<std::string> result;
  for (const Parameter* p : parameters) result.push_back(p->path());
  return result;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches(p, path); });
}

void require_matches(const std::vector<std::string>& patterns,
                     const std::vector<Parameter*>& among) {
  for (const std::string& pattern : patterns) {
    const bool found = std::any_of(among.begin(), among.end(),
                                   [&](Parameter* p) { return matches(pattern, p->path()); });
    if (found) continue;
    const std::vector<std::string> all = paths(among);
    throw ConfigError(fmt::format("pattern '{}' matches no weight{}; there are: {}", pattern,
                                  suggestion(pattern, all), join(all, ", ")));
  }
}

// Masks stand in front of quantizers, or behind them.
std::size_t chain_position(const Parameter& parameter, std::string_view kind,
                           Composition composition) {
  const bool in_front = (kind == kMask) == (composition == Composition::mask_then_quantize);
  return in_front ? 0 : parameter.chain().size();
}

void require_absent(const Parameter& parameter, std::string_view kind, const char* what) {
  if (!parameter.find(kind)) return;
  throw ConfigError(fmt::format(
      "'{}' {} already; release the other method first, or exclude the weight from one of them",
      parameter.path(), what));
}

// A pruned weight is real 0, which the grid must have.
void require_zero(const Parameter& parameter) {
  const auto* quantizer = dynamic_cast<const WeightQuantizer*>(parameter.find(kWeightQuantizer));
  if (!quantizer || !parameter.find(kMask) || quantizer->quantizer().traits().has_zero) return;
  const std::string& name = quantizer->config().quantizer;
  throw ConfigError(fmt::format(
      "'{}' is pruned and quantized by {}, which has no zero, so a pruned weight could not stay "
      "zero; expected a quantizer with a zero (ternary in place of binary, lsq in place of "
      "dorefa), or the weight in 'exclude' of the pruning",
      parameter.path(), name));
}

void insert_quantizer(Network& network, const std::string& after, const EdgeChoice& choice) {
  const std::optional<ActivationQuantizerConfig> config = choice(after);
  if (!config) return;
  network.insert_after(after, after + std::string(kQuantSuffix),
                       std::make_unique<ActivationQuantizer>(*config));
}

}  // namespace

std::vector<Parameter*> select_weights(const Network& network, const Selector& selector) {
  const std::vector<Parameter*> weights = default_weights(network);
  require_matches(selector.include, weights);
  require_matches(selector.exclude, weights);
  std::vector<Parameter*> selected;
  for (Parameter* parameter : weights) {
    const bool wanted =
        selector.include.empty() || matches_any(selector.include, parameter->path());
    if (wanted && !matches_any(selector.exclude, parameter->path())) selected.push_back(parameter);
  }
  return selected;
}

Mask* attach_mask(Parameter& parameter, Composition composition, bool mask_gradient) {
  require_absent(parameter, kMask, "is pruned");
  auto mask = std::make_unique<Mask>(parameter.shape().size(), mask_gradient);
  Mask* attached = mask.get();
  parameter.insert(chain_position(parameter, kMask, composition), std::move(mask));
  require_zero(parameter);
  return attached;
}

void attach_weight_quantizers(const std::vector<Parameter*>& parameters, Composition composition,
                              const WeightQuantizerConfig& config) {
  for (Parameter* parameter : parameters) {
    require_absent(*parameter, kWeightQuantizer, "is quantized");
    parameter->insert(chain_position(*parameter, kWeightQuantizer, composition),
                      std::make_unique<WeightQuantizer>(config, *parameter));
    require_zero(*parameter);
  }
}

void attach_activation_quantizers(Network& network, const ActivationQuantizerConfig& config) {
  attach_activation_quantizers(network, [&](const std::string&) { return config; });
}

void attach_activation_quantizers(Network& network, const EdgeChoice& choice) {
  if (has_activation_quantizers(network)) {
    throw ConfigError(
        "the network's activations are quantized already; release the other method first");
  }
  const std::vector<Group> groups = find_groups(network);
  insert_quantizer(network, std::string(kInputNode), choice);
  for (const Group& group : groups) insert_quantizer(network, group.tail(), choice);
  std::vector<std::string> pools;
  for (const NetworkNode& node : network.nodes()) {
    if (node.module->kind() == "avg_pool2d") pools.push_back(node.name);
  }
  for (const std::string& name : pools) {
    const ActivationQuantizer* source = grid_source(network, network.node(name).inputs[0]);
    // An override leaves the edge float, or its grid is another one for every image.
    if (!source || quantizer_row(source->config().quantizer).at_run_time) continue;
    network.insert_after(name, name + std::string(kCodesSuffix), std::make_unique<AverageCodes>());
  }
  PARE_ENSURE(connect_averages(network));
}

bool connect_averages(Network& network) {
  for (const NetworkNode& node : network.nodes()) {
    auto* average = dynamic_cast<AverageCodes*>(node.module.get());
    if (!average) continue;
    const NetworkNode* behind = network.find(node.inputs[0]);
    const auto* pool = behind ? dynamic_cast<const Pool*>(behind->module.get()) : nullptr;
    if (!pool) return false;
    const ActivationQuantizer* source = grid_source(network, behind->inputs[0]);
    if (!source) return false;
    const Shape in = network.shape_of(behind->inputs[0]);
    average->connect(*source, taps_inside(pool->window(), in[1], in[2]));
  }
  return true;
}

void detach(const std::vector<Parameter*>& parameters, std::string_view transform) {
  for (Parameter* parameter : parameters) parameter->remove(transform);
}

void detach_activation_quantizers(Network& network) {
  std::vector<std::string> inserted;
  for (const NetworkNode& node : network.nodes()) {
    const std::string_view kind = node.module->kind();
    if (kind == "fake_quant" || kind == "average_codes") inserted.push_back(node.name);
  }
  for (const std::string& name : inserted) network.remove(name);
}

bool has_activation_quantizers(const Network& network) {
  const auto& nodes = network.nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const NetworkNode& n) { return n.module->kind() == "fake_quant"; });
}

}  // namespace pare
