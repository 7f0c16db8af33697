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

}  // namespace pare
