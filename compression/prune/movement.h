// movement: weights that move away from zero stay (Sanh et al. 2020, "Movement pruning",
// arXiv:2005.07683, eq. 2).
//
// S -= learning rate * gradient of the effective weight * weight, summed over all steps from the
// start of the phase; of a structure, its effect (effect.h) in place of the product. The gradient
// is the straight-through one, so masked weights score too and may come back. A masked structure is
// cut off from what reads it and has no gradient: its S stays, and it comes back where others fall
// below it. The masks keep the largest S, whatever sign.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow movement_row();

}  // namespace pare
