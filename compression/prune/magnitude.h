// The magnitude pruner: a weight matters as much as its absolute value (documents 000 and 001; Han
// et al. 2015, arXiv:1506.02626).
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

void score_magnitude(const PruneTarget& target, const Tensor& weights, std::uint64_t seed,
                     std::uint64_t update, std::span<float> scores);

// The baseline: any weight as good as another.
void score_random(const PruneTarget& target, const Tensor& weights, std::uint64_t seed,
                  std::uint64_t update, std::span<float> scores);

}  // namespace pare
