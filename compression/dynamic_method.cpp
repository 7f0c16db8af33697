#include "compression/dynamic_method.h"

#include "framework/config/object.h"

namespace pare {

void DynamicConfig::describe(config::Object& o) {
  o.integer("weight_bits", weight_bits, {.min = 2, .max = 8},
            "of weights, symmetric with one scale per channel");
  o.integer("activation_bits", activation_bits, {.min = 2, .max = 8},
            "of activations, whose range is every image's own");
}

QuantizeConfig DynamicConfig::quantize() const {
  QuantizeConfig config;
  config.weights->bits = weight_bits;
  config.activations->quantizer = "dynamic";
  config.activations->bits = activation_bits;
  return config;
}

}  // namespace pare
