#include "apps/lib/experiment/statistics.h"

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
  if (s.n < 2) return s;
  double squares = 0;
  for (const double x : values) squares += (x - s.mean) * (x - s.mean);
  s.deviation = std::sqrt(squares / (n - 1));
  s.half_width = student_quantile(two_sided(kConfidence), n - 1) * *s.deviation / std::sqrt(n);
  return s;
}

}  // namespace pare
