// Paired comparisons against published examples and closed forms.
#include "apps/lib/experiment/paired.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "apps/lib/experiment/correlation.h"
#include "apps/lib/experiment/holm.h"
#include "apps/lib/experiment/pareto.h"

using namespace pare;
using doctest::Approx;

namespace {

// Hours of sleep gained with one drug and the other, ten patients (Student 1908, "The probable
// error of a mean", section IX): second minus first.
const std::vector<double> kSleep = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};

}  // namespace

TEST_CASE("the paired t test of Student's own data") {
  CHECK(*paired_t(kSleep) == Approx(0.002833).epsilon(1e-3));
  const Summary s = summarize(kSleep);
  CHECK(s.mean == Approx(1.58));
  CHECK(s.mean - *s.half_width == Approx(0.7001142).epsilon(1e-6));
  CHECK(s.mean + *s.half_width == Approx(2.4598858).epsilon(1e-6));
}

TEST_CASE("differences without spread are not tested") {
  const std::vector<double> zero = {0, 0, 0}, same = {0.1, 0.1, 0.1};
  CHECK(*paired_t(zero) == 1);
  CHECK_FALSE(paired_t(same));
  CHECK_FALSE(paired_t(std::vector<double>{1.0}));
  CHECK_FALSE(equivalence(zero, 0.1));
  CHECK_FALSE(equivalence(same, 0.05));
  CHECK_FALSE(equivalence(same, 0.6));
}

TEST_CASE("equivalence of two pairs is a tail of Cauchy's distribution") {
  const std::vector<double> d = {0.3, -0.1};  // mean 0.1, standard error 0.2
  for (const double margin : {0.2, 0.5, 4.0}) {
    CAPTURE(margin);
    const double nearer = 0.5 - std::atan((margin - 0.1) / 0.2) / std::acos(-1.0);
    CHECK(*equivalence(d, margin) == Approx(nearer));
  }
}

TEST_CASE("equivalence looks at both ends of the margin") {
  const double pi = std::acos(-1.0);
  const std::vector<double> inside = {-0.3, 0.1}, outside = {-0.9, -0.5};  // standard error 0.2
  CHECK(*equivalence(inside, 0.2) == Approx(0.5 - std::atan(0.1 / 0.2) / pi));
  CHECK(*equivalence(outside, 0.5) == Approx(0.5 + std::atan(0.2 / 0.2) / pi));
}

TEST_CASE("signed ranks of a published example") {
  // Depression scale before and after a tranquilizer, nine patients (Hollander & Wolfe 1973, table
  // 3.1): V = 40, one-sided p = 0.01953.
  const std::vector<double> before = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30},
                            after = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  std::vector<double> d;
  for (std::size_t i = 0; i < before.size(); ++i) d.push_back(before[i] - after[i]);
  CHECK(*signed_ranks(d) == Approx(2 * 0.01953125));
}

TEST_CASE("signed ranks have closed forms at the ends") {
  const std::vector<double> positive = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(*signed_ranks(positive) == Approx(2.0 / 256));
  CHECK_FALSE(signed_ranks(std::vector<double>(7, 1.0)));
  CHECK(*signed_ranks(std::vector<double>(8, 0.0)) == 1);
  // Eight equal sizes: the test of signs, here 7 to 1.
  const std::vector<double> equal = {1, 1, 1, 1, 1, 1, 1, -1};
  CHECK(*signed_ranks(equal) == Approx(2 * (1 + 8) / 256.0));
}

TEST_CASE("Holm's correction") {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const std::vector<double> adjusted = holm(p);
  const std::vector<double> by_hand = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < p.size(); ++i) CHECK(adjusted[i] == Approx(by_hand[i]));
  CHECK(holm(std::vector<double>{0.7, 0.8}) == std::vector<double>{1, 1});
  CHECK(holm({}).empty());
}

TEST_CASE("the correlation of Anscombe's first set") {
  // Anscombe 1973, "Graphs in statistical analysis".
  const std::vector<double> x = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                            y = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
  const auto c = correlation(x, y);
  REQUIRE(c);
  CHECK(c->n == 11);
  CHECK(c->r == Approx(0.8164205).epsilon(1e-6));
  CHECK(c->low == Approx(0.4243912).epsilon(1e-5));
  CHECK(c->high == Approx(0.9506933).epsilon(1e-5));
  CHECK_FALSE(correlation(std::vector<double>{1, 2, 3}, std::vector<double>{1, 2, 3}));
  CHECK_FALSE(correlation(std::vector<double>{1, 1, 1, 1}, std::vector<double>{1, 2, 3, 4}));
  CHECK(correlation(std::vector<double>{1, 2, 3, 4}, std::vector<double>{2, 4, 6, 8})->r ==
        Approx(1));
}

TEST_CASE("the correlation of ranks") {
  // Anscombe's first set again.
  const std::vector<double> x = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                            y = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
  CHECK(correlation(x, y)->rho == Approx(9.0 / 11));
  // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3.5, 3.5.
  const std::vector<double> a = {1, 2, 2, 3}, b = {1, 2, 3, 3};
  CHECK(correlation(a, b)->rho == Approx(5.0 / 6));
  // Only the order counts.
  const std::vector<double> steep = {1, 10, 100, 1000}, falling = {4, 3, 2, -90};
  CHECK(correlation(steep, falling)->rho == Approx(-1));
}

TEST_CASE("how far a correlation moves with its seeds") {
  // z without each seed 0.9, 1.1, 1.0, of all 1.0: pseudo-values 3 - 2 z are 1.2, 0.8, 1.0, whose
  // mean is 1.0 and whose standard error is 0.2 / sqrt(3); t(0.975, 2) = 4.302653.
  const std::vector<double> without = {std::tanh(0.9), std::tanh(1.1), std::tanh(1.0)};
  const auto interval = jackknife(std::tanh(1.0), without);
  REQUIRE(interval);
  const double half = 4.302653 * 0.2 / std::sqrt(3.0);
  CHECK(interval->low == Approx(std::tanh(1.0 - half)).epsilon(1e-6));
  CHECK(interval->high == Approx(std::tanh(1.0 + half)).epsilon(1e-6));
  CHECK_FALSE(jackknife(0.5, std::vector<double>{0.4, 0.6}));
  CHECK_FALSE(jackknife(1, std::vector<double>{0.4, 0.6, 0.5}));
  CHECK_FALSE(jackknife(0.9, std::vector<double>{0.4, -1, 0.5}));
}

TEST_CASE("a Pareto front is what nothing dominates") {
  const std::vector<Tradeoff> points = {{3, 0.9}, {1, 0.5}, {2, 0.5}, {2, 0.8}, {4, 0.9}, {3, 0.9}};
  CHECK(pareto_front(points) == std::vector<std::size_t>{1, 3, 0, 5});
  CHECK(pareto_front({}).empty());
}
