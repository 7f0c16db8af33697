// The tensor that a pruner ranks: the latent weight, or what the attached quantizer makes of it.
#pragma once

#include "compression/prune/pruner.h"
#include "framework/tensor/tensor.h"

namespace pare {

enum class Ranked {
  latent,
  fake_quant,  // the unmasked latent weight on its grid
  int_code,    // its codes, counted from the zero point: each channel in units of its own scale
};

// Throws ConfigError where the last two find no quantizer attached.
void require_rankable(const PruneTarget& target, Ranked ranked);

// Of the target's shape. Needs require_rankable().
Tensor ranked_tensor(const PruneTarget& target, Ranked ranked);

}  // namespace pare
