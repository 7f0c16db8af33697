// Which quantizer every weight and every edge of a network gets from one quantize method: an
// override that names it, else first_last_bits, else the method's own `weights` and `activations`.
//
// The input edge and the output edge have 8 bits whatever `bits` and `first_last_bits` say; only an
// override that names them changes that.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "compression/quantize_method.h"

namespace pare {

class QuantizeChoice {
 public:
  // `network` as it is before activation quantizers are attached. Throws ConfigError: an override
  // that matches no node, or sets `activations` and matches none that an edge belongs to.
  QuantizeChoice(const QuantizeConfig& config, const Network& network);

  // Of a node with weights; nothing: they stay float.
  std::optional<WeightQuantizerConfig> weights(const std::string& node) const;
  // Of the edge that leaves `node` ("input", or the last node of a group); nothing: it stays float.
  std::optional<ActivationQuantizerConfig> activations(const std::string& node) const;

 private:
  std::optional<ActivationQuantizerConfig> chosen(const std::string& node) const;

  const QuantizeConfig& config_;
  std::map<std::string, std::set<std::string>> edges_;  // an edge's node -> the nodes of its group
  std::set<std::string> first_last_;                    // nodes with weights
  std::set<std::string> enter_first_last_;              // edges
  std::set<std::string> behind_relu_;                   // edges
  std::string output_;                                  // edge
};

}  // namespace pare
