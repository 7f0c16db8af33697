// apoz: channels that are seldom active go first (Hu et al. 2016, "Network trimming",
// arXiv:1607.03250, eq. 1: the average percentage of zeros behind the activation).
//
// The score is 1 - APoZ, over the images and positions of all steps since the last change.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow apoz_row();

}  // namespace pare
