// The "compression" object of a config: names -> methods, and the table of their kinds.
#pragma once

#include <variant>

#include "compression/prune_method.h"
#include "compression/quantize_method.h"
#include "compression/shrink_method.h"

namespace pare {

struct MethodConfig {
  std::string kind;
  std::variant<PruneConfig, QuantizeConfig, ShrinkConfig> options;

  void describe(config::Object& o);
};

std::unique_ptr<Method> make_method(const MethodConfig& config, Composition composition);

}  // namespace pare
