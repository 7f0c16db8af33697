#include "apps/lib/experiment/distributions.h"

#include <cmath>
#include <limits>

#include "framework/base/error.h"

namespace pare {
namespace {

// The continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), by Lentz's
// method. Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr int kMostTerms = 10'000;
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    double before = fraction;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(fraction - before) <= std::numeric_limits<double>::epsilon() * fraction) break;
  }
  return fraction;
}

}  // namespace

double incomplete_beta(double x, double a, double b) {
  PARE_ENSURE(x >= 0 && x <= 1 && a > 0 && b > 0);
  if (x == 0 || x == 1) return x;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

// P(|T| > t) = I_x(degrees / 2, 1 / 2) with x = degrees / (degrees + t^2).
double student_cdf(double t, double degrees) {
  PARE_ENSURE(degrees > 0);
  const double tails = incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tails / 2 : tails / 2;
}

// Bisection: the function is monotone, and no starting value has to be good.
double student_quantile(double p, double degrees) {
  PARE_ENSURE(p > 0 && p < 1);
  if (p == 0.5) return 0;
  if (p > 0.5) return -student_quantile(1 - p, degrees);
  double low = -1;
  while (student_cdf(low, degrees) > p) low *= 2;
  double high = 0;
  for (int i = 0; i < 200 && high - low > 1e-15 * std::abs(low); ++i) {
    const double middle = (low + high) / 2;
    (student_cdf(middle, degrees) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace pare
