// Mixed precision under a budget: one option per layer, the smallest sum of losses whose sum of
// costs fits (a multiple-choice knapsack, solved by dynamic programming over the budget).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace pare {

// What one layer may become.
struct Option {
  int bits = 8;
  double sparsity = 0;
  double bytes = 0;  // at most, of its weights' codes in model.pare
  double macs = 0;   // of one image, those whose weight is not zero
  double loss = 0;   // what it adds to the loss when this layer alone is compressed so
};

// The resource that is limited.
using Cost = double Option::*;

// For every layer the index of its option; nothing where even the cheapest ones do not fit. Costs
// are counted in 4096ths of the limit, rounded up, so that the sum of the real ones never exceeds
// it. Of equal losses the cheaper plan.
std::optional<std::vector<std::size_t>> allocate(const std::vector<std::vector<Option>>& layers,
                                                 Cost cost, double limit);

}  // namespace pare
