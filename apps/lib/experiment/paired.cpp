#include "apps/lib/experiment/paired.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "apps/lib/experiment/distributions.h"
#include "framework/base/error.h"

namespace pare {
namespace {

// P(T >= t) of a mean that lies `distance` from a hypothesis; there is a deviation.
double upper_tail(double distance, const Summary& s) {
  const double error = *s.deviation / std::sqrt(static_cast<double>(s.n));
  return student_cdf(-distance / error, s.n - 1);
}

// How many of the 2^n choices of signs give each sum of positive ranks.
std::vector<double> ways_to_sum(const std::vector<int>& ranks) {
  const int total = std::accumulate(ranks.begin(), ranks.end(), 0);
  std::vector<double> ways(static_cast<std::size_t>(total) + 1);
  ways[0] = 1;
  for (const int rank : ranks) {
    const auto step = static_cast<std::size_t>(rank);
    for (std::size_t sum = ways.size() - 1; sum >= step; --sum) ways[sum] += ways[sum - step];
  }
  return ways;
}

}  // namespace

std::optional<double> paired_t(std::span<const double> differences) {
  const Summary s = summarize(differences);
  if (s.n < 2) return std::nullopt;
  if (*s.deviation == 0) return s.mean == 0 ? std::optional(1.0) : std::nullopt;
  return 2 * upper_tail(std::abs(s.mean), s);
}

std::optional<double> equivalence(std::span<const double> differences, double margin) {
  PARE_ENSURE(margin > 0);
  const Summary s = summarize(differences);
  if (s.n < 2 || *s.deviation == 0) return std::nullopt;
  return std::max(upper_tail(margin - s.mean, s), upper_tail(margin + s.mean, s));
}

std::optional<double> signed_ranks(std::span<const double> differences) {
  if (differences.size() < kFewestForRanks) return std::nullopt;
  std::vector<double> sizes;
  std::vector<bool> positive;
  for (const double d : differences) {
    if (d == 0) continue;
    sizes.push_back(std::abs(d));
    positive.push_back(d > 0);
  }
  if (sizes.empty()) return 1;
  const std::vector<int> ranks = doubled_ranks(sizes);
  int sum = 0, total = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    sum += positive[i] ? ranks[i] : 0;
    total += ranks[i];
  }
  const std::vector<double> ways = ways_to_sum(ranks);
  const auto end = ways.begin() + std::min(sum, total - sum) + 1;
  const double tail = std::accumulate(ways.begin(), end, 0.0);
  return std::min(1.0, 2 * tail / std::exp2(static_cast<double>(ranks.size())));
}

}  // namespace pare
