// Module: one node's computation. Layers know nothing of compression; it reaches their weights
// through the parameters' chains and their outputs through inserted nodes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "framework/ops/ops.h"
#include "framework/parameter.h"
#include "framework/state.h"

namespace pare {

class Module {
 public:
  virtual ~Module() = default;

  // The name in configs: "conv2d".
  virtual std::string_view kind() const = 0;

  // The node's name in its network, for what is drawn or reported under it. Set by the network
  // before build().
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  // The output's shape for these inputs' shapes (batch first), and everything that depends on them:
  // parameters are allocated here, zero. Called once, by Network::add. Throws ConfigError with what
  // is wrong and what would fit; the network puts the node's name in front.
  virtual Shape build(std::span<const Shape> inputs) = 0;

  // Fills the parameters; each draws from its own path's stream.
  virtual void initialize(std::uint64_t /*seed*/) {}

  virtual Variable forward(std::span<const Variable> inputs, const Pass& pass) = 0;

  // The module's own parameters, without those of their transforms.
  virtual void visit_parameters(const ParameterVisitor&) {}
  // What is not a parameter but must survive: running statistics. `prefix` is the node's name.
  virtual void visit_buffers(const std::string& /*prefix*/, StateVisitor&) {}

  // The node's keys with their values, as a config would say them (without name, kind and inputs);
  // {} where there are none.
  virtual nlohmann::ordered_json to_json() const;

  // Multiply-accumulates for one image; taps in the padding count.
  virtual std::int64_t macs() const { return 0; }

 private:
  std::string name_;
};

}  // namespace pare
