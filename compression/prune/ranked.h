// The tensor that a pruner ranks: the latent weight, or what the attached quantizer makes of it.
#pragma once

#include "framework/parameter.h"

namespace pare {

enum class Ranked {
  latent,
  fake_quant,  // the unmasked latent weight on its grid
  int_code,    // its codes, counted from the zero point: each channel in units of its own scale
};

// Throws ConfigError where the last two find no quantizer attached.
void require_rankable(const Parameter& weight, Ranked ranked);

// Of the weight's shape. Needs require_rankable().
Tensor ranked_tensor(Parameter& weight, Ranked ranked);

}  // namespace pare
