#include "apps/lib/experiment/correlation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/lib/experiment/statistics.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr double kNormal975 = 1.959963984540054;  // the normal distribution's 0.975 quantile

// Nothing where one side does not vary.
std::optional<double> pearson(std::span<const double> x, std::span<const double> y) {
  const double mean_x = summarize(x).mean, mean_y = summarize(y).mean;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx <= 0 || yy <= 0) return std::nullopt;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

std::vector<double> ranks_of(std::span<const double> values) {
  const std::vector<int> doubled = doubled_ranks(values);
  return std::vector<double>(doubled.begin(), doubled.end());
}

}  // namespace

std::optional<Correlated> correlation(std::span<const double> x, std::span<const double> y) {
  PARE_ENSURE(x.size() == y.size());
  if (x.size() < 4) return std::nullopt;
  const std::optional<double> r = pearson(x, y), rho = pearson(ranks_of(x), ranks_of(y));
  if (!r || !rho) return std::nullopt;
  Correlated c{.n = static_cast<int>(x.size()), .r = *r};
  c.rho = *rho;
  const double half = kNormal975 / std::sqrt(static_cast<double>(c.n) - 3);
  c.low = std::tanh(std::atanh(c.r) - half);
  c.high = std::tanh(std::atanh(c.r) + half);
  return c;
}

std::optional<Interval> jackknife(double r, std::span<const double> without) {
  const auto n = static_cast<double>(without.size());
  if (without.size() < 3 || std::abs(r) >= 1) return std::nullopt;
  std::vector<double> pseudo;  // what each seed alone would have said
  for (const double one : without) {
    if (std::abs(one) >= 1) return std::nullopt;
    pseudo.push_back(n * std::atanh(r) - (n - 1) * std::atanh(one));
  }
  const Summary s = summarize(pseudo);
  return Interval{std::tanh(s.mean - *s.half_width), std::tanh(s.mean + *s.half_width)};
}

}  // namespace pare
