#include "apps/lib/experiment/pareto.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace pare {

std::vector<std::size_t> pareto_front(std::span<const Tradeoff> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Tradeoff &p = points[a], &q = points[b];
    return p.cost != q.cost ? p.cost < q.cost : p.value > q.value;
  });
  std::vector<std::size_t> front;
  double best = -std::numeric_limits<double>::infinity(), cost_of_best = 0;
  for (const std::size_t i : order) {
    const bool equals_best = points[i].value == best && points[i].cost == cost_of_best;
    if (points[i].value > best || equals_best) {
      front.push_back(i);
      best = points[i].value;
      cost_of_best = points[i].cost;
    }
  }
  return front;
}

}  // namespace pare
