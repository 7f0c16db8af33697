#include "apps/lib/experiment/statistics.h"

#include <algorithm>
#include <cmath>

#include "apps/lib/experiment/distributions.h"

namespace pare {
namespace {

constexpr double kConfidence = 0.95;

double two_sided(double confidence) { return 1 - (1 - confidence) / 2; }

}  // namespace

Summary summarize(std::span<const double> values) {
  Summary s;
  s.n = static_cast<int>(values.size());
  if (values.empty()) return s;
  const auto n = static_cast<double>(s.n);
  for (const double x : values) s.mean += x / n;
  const bool same =
      std::all_of(values.begin(), values.end(), [&](double x) { return x == values[0]; });
  if (same) s.mean = values[0];  // parts of it, added up, may miss it and leave a deviation
  if (s.n < 2) return s;
  double squares = 0;
  for (const double x : values) squares += (x - s.mean) * (x - s.mean);
  s.deviation = std::sqrt(squares / (n - 1));
  s.half_width = student_quantile(two_sided(kConfidence), n - 1) * *s.deviation / std::sqrt(n);
  return s;
}

std::vector<int> doubled_ranks(std::span<const double> values) {
  std::vector<int> ranks;
  for (const double value : values) {
    int smaller = 0, equal = 0;
    for (const double other : values) {
      smaller += other < value ? 1 : 0;
      equal += other == value ? 1 : 0;
    }
    ranks.push_back(2 * smaller + equal + 1);
  }
  return ranks;
}

}  // namespace pare
