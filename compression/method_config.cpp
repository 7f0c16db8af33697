#include "compression/method_config.h"

namespace pare {

void MethodConfig::describe(config::Object& o) {
  o.alternatives(
      "kind", kind,
      {{"prune", [this](config::Object& in) { config::hold<PruneConfig>(options).describe(in); }},
       {"quantize",
        [this](config::Object& in) { config::hold<QuantizeConfig>(options).describe(in); }}},
      "what the method does");
}

std::unique_ptr<Method> make_method(const MethodConfig& config, Composition composition) {
  if (const auto* prune = std::get_if<PruneConfig>(&config.options)) {
    return std::make_unique<PruneMethod>(*prune, composition);
  }
  return std::make_unique<QuantizeMethod>(std::get<QuantizeConfig>(config.options), composition);
}

}  // namespace pare
