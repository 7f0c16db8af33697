// Comparisons of two treatments that were given to the same seeds: everything is a function of the
// differences, run by run.
#pragma once

#include <optional>
#include <span>

#include "apps/lib/experiment/statistics.h"

namespace pare {

// Student's paired t: two-sided p of "the mean difference is 0"; from 2 differences. Where all
// differences are equal, p is 1 if they are 0 and 0 otherwise.
std::optional<double> paired_t(std::span<const double> differences);

// Two one-sided tests (Schuirmann 1987): the p of "the mean difference lies outside
// (-margin, margin)"; small means equal for all purposes. From 2 differences; margin > 0.
std::optional<double> equivalence(std::span<const double> differences, double margin);

// Wilcoxon's signed ranks, exact: differences of 0 are left out, equal ones share their mean rank,
// and p is over all signs. Two-sided; from kFewestForRanks differences, before that it could not be
// small.
inline constexpr std::size_t kFewestForRanks = 8;
std::optional<double> signed_ranks(std::span<const double> differences);

// The exact sign test, two-sided: `positive` and `negative` of them, zeros left out.
double sign_test(int positive, int negative);

}  // namespace pare
