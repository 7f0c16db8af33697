// soft: what would be pruned decays instead, W' = alpha W, and may grow back (document 004; after
// He et al. 2018, "Soft filter pruning", arXiv:1808.06866, whose alpha is 0).
//
// At every change the groups that score lowest, as many as the sparsity asks for, are multiplied by
// alpha; nothing is masked. When sparsity and alpha have both reached their ends, the last change
// masks them.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow soft_row();

}  // namespace pare
