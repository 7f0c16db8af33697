// Statistics against printed tables and closed forms.
#include "apps/lib/experiment/statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "apps/lib/experiment/distributions.h"

using namespace pare;

namespace {

bool close(double a, double b, double relative = 1e-9) {
  return std::abs(a - b) <= relative * std::max(std::abs(a), std::abs(b));
}

}  // namespace

TEST_CASE("Student's quantiles are those of printed tables") {
  // Two-sided 95 %: the column .975 of any table of t.
  const struct {
    double degrees, t;
  } rows[] = {{1, 12.706204736}, {2, 4.3026527297},  {4, 2.7764451052},
              {9, 2.2621571628}, {29, 2.0452296421}, {1000, 1.9623390808}};
  for (const auto& row : rows) {
    CAPTURE(row.degrees);
    CHECK(close(student_quantile(0.975, row.degrees), row.t));
    CHECK(close(student_quantile(0.025, row.degrees), -row.t));
    CHECK(close(student_cdf(row.t, row.degrees), 0.975));
  }
  CHECK(student_quantile(0.5, 3) == 0);
}

TEST_CASE(
    "with one degree of freedom Student's t is Cauchy's distribution, with two it has a formula") {
  for (const double t : {-30.0, -2.0, -0.1, 0.0, 0.3, 1.0, 7.0}) {
    CAPTURE(t);
    CHECK(close(student_cdf(t, 1), 0.5 + std::atan(t) / std::acos(-1.0), 1e-12));
    CHECK(close(student_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-12));
  }
}

TEST_CASE("the incomplete beta function has the closed forms of whole arguments") {
  for (const double x : {0.0, 0.01, 0.3, 0.5, 0.77, 0.999, 1.0}) {
    CAPTURE(x);
    CHECK(close(incomplete_beta(x, 1, 1), x, 1e-13));
    CHECK(close(incomplete_beta(x, 3, 1), x * x * x, 1e-12));
    CHECK(close(incomplete_beta(x, 2, 2), x * x * (3 - 2 * x), 1e-12));
  }
}

TEST_CASE("a mean has the interval of Student's t") {
  const std::vector<double> values = {0.9871, 0.9883, 0.9869, 0.9878, 0.9880};
  const Summary s = summarize(values);
  CHECK(s.n == 5);
  CHECK(close(s.mean, 0.98762));
  CHECK(close(*s.deviation, 5.974947698515862e-4));
  CHECK(close(*s.half_width, 2.7764451052 * 5.974947698515862e-4 / std::sqrt(5.0), 1e-8));
}

TEST_CASE("one value has a mean and no interval, none has nothing, equal ones have width 0") {
  CHECK(summarize({}).n == 0);
  const std::vector<double> one = {3}, equal = {2, 2, 2};
  CHECK(summarize(one).mean == 3);
  CHECK_FALSE(summarize(one).half_width);
  CHECK(*summarize(equal).half_width == 0);
  for (std::size_t n = 2; n < 50; ++n) {  // a tenth is no binary fraction
    CAPTURE(n);
    const std::vector<double> tenths(n, 0.1);
    CHECK(summarize(tenths).mean == 0.1);
    CHECK(*summarize(tenths).deviation == 0);
  }
}

TEST_CASE("equal values share their mean rank") {
  CHECK(doubled_ranks(std::vector<double>{0.3, 0.1, 0.2}) == std::vector<int>{6, 2, 4});
  CHECK(doubled_ranks(std::vector<double>{5, 1, 5, 5}) == std::vector<int>{6, 2, 6, 6});
  CHECK(doubled_ranks({}).empty());
}
