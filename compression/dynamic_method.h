// "kind": "dynamic": weights on a grid, activations on that of every image, found at run time.
//
// A quantize method whose activations have the quantizer `dynamic` (quantize/dynamic_range.h).
#pragma once

#include "compression/quantize_method.h"

namespace pare {

struct DynamicConfig {
  int weight_bits = 8, activation_bits = 8;

  void describe(config::Object& o);
  QuantizeConfig quantize() const;
};

}  // namespace pare
