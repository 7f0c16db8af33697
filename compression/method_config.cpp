#include "compression/method_config.h"

#include "compression/method_kinds.h"
#include "framework/config/object.h"

namespace pare {
namespace {

template <class Config>
void describe_as(MethodConfig& method, config::Object& o) {
  config::hold<Config>(method.options).describe(o);
}

constexpr MethodKind kKinds[] = {
    {"prune", "masks whose sparsity follows a schedule", describe_as<PruneConfig>},
    {"quantize", "weights and activations on integer grids", describe_as<QuantizeConfig>},
    {"shrink", "takes out the channels that masks have emptied", describe_as<ShrinkConfig>},
    {"distill", "learns a teacher's outputs beside the labels", describe_as<DistillConfig>},
    {"factorize", "puts chains of smaller layers in the place of layers",
     describe_as<FactorizeConfig>},
    {"auto", "searches bits and sparsity of every layer under a budget", describe_as<AutoConfig>},
    {"dynamic", "weights on integer grids, activations on one that every image finds at run time",
     describe_as<DynamicConfig>},
};

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
  std::unique_ptr<Method> operator()(const DistillConfig& config) const {
    return std::make_unique<DistillMethod>(config);
  }
  std::unique_ptr<Method> operator()(const FactorizeConfig& config) const {
    return std::make_unique<FactorizeMethod>(config);
  }
  std::unique_ptr<Method> operator()(const AutoConfig& config) const {
    return std::make_unique<AutoMethod>(config, composition);
  }
  std::unique_ptr<Method> operator()(const DynamicConfig& config) const {
    return std::make_unique<QuantizeMethod>(config.quantize(), composition);
  }
};

}  // namespace

std::span<const MethodKind> method_kinds() { return kKinds; }

void MethodConfig::describe(config::Object& o) {
  std::vector<config::Alternative> alternatives;
  for (const MethodKind& row : kKinds)
    alternatives.push_back({row.name, [this, &row](config::Object& in) { row.describe(*this, in); }});
  o.alternatives("kind", kind, alternatives, "what the method does");
}

std::string MethodConfig::float_only() const {
  if (const auto* dynamic = std::get_if<DynamicConfig>(&options)) {
    const std::string reason = dynamic->quantize().activations->float_only();
    return "kind" + reason.substr(reason.find(':'));
  }
  const auto* quantize = std::get_if<QuantizeConfig>(&options);
  return quantize ? quantize->float_only() : "";
}

std::unique_ptr<Method> make_method(const MethodConfig& config, Composition composition) {
  return std::visit(Make{composition}, config.options);
}

}  // namespace pare
