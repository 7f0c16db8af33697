#include "compression/method_config.h"

namespace pare {
namespace {

template <class Config>
config::Alternative alternative(const char* kind, MethodConfig& method) {
  return {kind,
          [&method](config::Object& in) { config::hold<Config>(method.options).describe(in); }};
}

struct Make {
  Composition composition;
  std::unique_ptr<Method> operator()(const PruneConfig& config) const {
    return std::make_unique<PruneMethod>(config, composition);
  }
  std::unique_ptr<Method> operator()(const QuantizeConfig& config) const {
    return std::make_unique<QuantizeMethod>(config, composition);
  }
  std::unique_ptr<Method> operator()(const ShrinkConfig&) const {
    return std::make_unique<ShrinkMethod>();
  }
};

}  // namespace

void MethodConfig::describe(config::Object& o) {
  o.alternatives(
      "kind", kind,
      {alternative<PruneConfig>("prune", *this), alternative<QuantizeConfig>("quantize", *this),
       alternative<ShrinkConfig>("shrink", *this)},
      "what the method does");
}

std::unique_ptr<Method> make_method(const MethodConfig& config, Composition composition) {
  return std::visit(Make{composition}, config.options);
}

}  // namespace pare
