// rigl: a sparse network that moves its weights about (Evci et al. 2020, "Rigging the lottery",
// arXiv:1911.11134, algorithm 1).
//
// The first change keeps the largest weights (of freshly drawn ones: any). Every later one drops
// the share fraction / 2 * (1 + cos(pi t / T)) of a layer's kept weights, the smallest ones, and
// lets as many grow where the gradient of the effective weight is largest; they begin at 0. One
// that is dropped may grow again in the same change, and then keeps its value. The sparsity of
// every layer stays what it is.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow rigl_row();

// Of each target, so that all together have `sparsity`: density proportional to
// (inputs + outputs + kernel height + kernel width) / (inputs * outputs * kernel height * kernel
// width), where that exceeds 1 the layer is dense and the others share the rest.
std::vector<double> erdos_renyi_densities(std::span<const Shape> shapes, double sparsity);

}  // namespace pare
