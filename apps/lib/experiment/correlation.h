// Pearson's correlation with its interval, and Spearman's, which only asks for the order.
#pragma once

#include <optional>
#include <span>

namespace pare {

struct Correlated {
  int n = 0;
  double r = 0;
  double low = -1, high = 1;  // 95 %, by Fisher's z = atanh r with standard error 1/sqrt(n - 3)
  double rho = 0;             // Pearson's of the ranks; equal values share their mean rank
};

// Nothing for fewer than 4 points, or where one side does not vary.
std::optional<Correlated> correlation(std::span<const double> x, std::span<const double> y);

struct Interval {
  double low, high;
};

// 95 % of the same r where every point is a mean over the same n seeds: how far it moves when one
// seed is left out, without[i] being r over the means of all but the i-th (the jackknife of
// z = atanh r; Student's t with n - 1). Fisher's interval asks what other points would give, this
// one what other seeds would. Nothing for fewer than 3 seeds or where an |r| is 1.
std::optional<Interval> jackknife(double r, std::span<const double> without);

}  // namespace pare
