// The "compression" object of a config: names -> methods, and the table of their kinds.
#pragma once

#include <variant>

#include "compression/auto_method.h"
#include "compression/distill_method.h"
#include "compression/dynamic_method.h"
#include "compression/factorize_method.h"
#include "compression/prune_method.h"
#include "compression/quantize_method.h"
#include "compression/shrink_method.h"

namespace pare {

struct MethodConfig {
  std::string kind;
  std::variant<PruneConfig, QuantizeConfig, ShrinkConfig, DistillConfig, FactorizeConfig,
               AutoConfig, DynamicConfig>
      options;

  void describe(config::Object& o);
  // Whether a network with it on is another than the dense one (a teacher changes nothing).
  bool compresses() const { return !std::holds_alternative<DistillConfig>(options); }
  // Whether it puts other nodes into the network at the start of its phase, for good.
  bool rewrites() const {
    const auto* quantize = std::get_if<QuantizeConfig>(&options);
    return std::holds_alternative<FactorizeConfig>(options) ||
           std::holds_alternative<ShrinkConfig>(options) ||
           (quantize && quantize->batch_norm == BatchNormUse::fold);
  }
  // Why a network that ends with it on has no integer form, as "key: reason"; "" where it has
  // one.
  std::string float_only() const;
};

std::unique_ptr<Method> make_method(const MethodConfig& config, Composition composition);

}  // namespace pare
