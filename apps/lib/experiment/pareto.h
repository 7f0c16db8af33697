// The Pareto front: what nothing else beats in both respects at once.
#pragma once

#include <span>
#include <vector>

namespace pare {

struct Tradeoff {
  double cost;   // bytes, operations: less is better
  double value;  // accuracy: more is better
};

// Indices of the points that no other one dominates (is as good in both and better in one), by
// rising cost.
std::vector<std::size_t> pareto_front(std::span<const Tradeoff> points);

}  // namespace pare
