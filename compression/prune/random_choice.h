// random: any group as good as another. The baseline that every other pruner has to beat.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow random_row();

// One number in [0, 1) per group, a function of seed, update and target.
std::vector<float> random_values(const PruneTarget& target, const PruneUpdate& update);

}  // namespace pare
