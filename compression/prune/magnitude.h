// magnitude: a weight matters as much as its absolute value, a group of weights as much as their
// norm (documents 000 and 001; Han et al. 2015, arXiv:1506.02626; filters: Li et al. 2017,
// arXiv:1608.08710, and with geometric_median He et al. 2019, arXiv:1811.00250).
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow magnitude_row();

// The score of every group by the tensor and norm that the config names.
std::vector<float> magnitudes(const PruneTarget& target, const PruneConfig& config);

}  // namespace pare
