// taylor: a group matters as much as the loss would change without it, to first order: the mean
// over steps of |effect| (effect.h; Molchanov et al. 2017, arXiv:1611.06440, eq. 6; 2019,
// arXiv:1906.10771, eq. 8, without the square, which keeps the order within one step). Of a single
// weight that is |gradient * weight|.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow taylor_row();

}  // namespace pare
