// Attaching compression to a network: transforms into the chains of parameters, nodes onto edges.
// Layers notice nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compression/quantize/quantizer.h"
#include "layers/network.h"

namespace pare {

// The order inside a weight's chain; ordering in time is a matter of phases.
enum class Composition { mask_then_quantize, quantize_then_mask };

// Which parameters, by patterns over their paths ("conv1.weight", "*.weight", "re:..."). An empty
// include means the weights of all convolutions and dense layers. A pattern that matches nothing is
// an error.
struct Selector {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
};
// In the order of the network. Throws ConfigError.
std::vector<Parameter*> select_weights(const Network& network, const Selector& selector);

// A mask that keeps everything. Throws ConfigError where the parameter has one already, or a
// quantizer without a zero.
class Mask* attach_mask(Parameter& parameter, Composition composition, bool mask_gradient);

// Throws ConfigError where a parameter has a quantizer already, or a mask that this one has no zero
// for.
void attach_weight_quantizers(const std::vector<Parameter*>& parameters, Composition composition,
                              const WeightQuantizerConfig& config);

// What the edge that leaves a node gets ("input", or the last node of a group); nothing: it stays
// float.
using EdgeChoice = std::function<std::optional<ActivationQuantizerConfig>(const std::string& node)>;

// A fake-quantizer behind the input and behind every group, a code average behind every average
// pool whose input has a grid. Throws ConfigError where the network has some already.
void attach_activation_quantizers(Network& network, const EdgeChoice& choice);
// The same for all edges.
void attach_activation_quantizers(Network& network, const ActivationQuantizerConfig& config);

// Tells every code average which grid its pool reads. False where one stands behind no pool, or
// reads an edge without a grid.
bool connect_averages(Network& network);

// Takes them all off again.
void detach(const std::vector<Parameter*>& parameters, std::string_view transform);
void detach_activation_quantizers(Network& network);

bool has_activation_quantizers(const Network& network);

}  // namespace pare
