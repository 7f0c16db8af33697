// Comparisons of two treatments that were given to the same seeds: everything is a function of the
// differences, run by run.
#pragma once

#include <optional>
#include <span>

#include "apps/lib/experiment/statistics.h"

namespace pare {

// Student's paired t: two-sided p of "the mean difference is 0"; from 2 differences. 1 where all
// are 0; nothing where all are equal otherwise: without spread there is no test.
std::optional<double> paired_t(std::span<const double> differences);

// Two one-sided tests (Schuirmann 1987): the p of "the mean difference lies outside
// (-margin, margin)"; small means equal for all purposes. From 2 differences, not all of them
// equal; margin > 0.
std::optional<double> equivalence(std::span<const double> differences, double margin);

// Wilcoxon's signed ranks, exact: differences of 0 are left out, equal ones share their mean rank,
// and p is over all signs. Two-sided; from kFewestForRanks differences, before that it could not be
// small.
inline constexpr std::size_t kFewestForRanks = 8;
std::optional<double> signed_ranks(std::span<const double> differences);

}  // namespace pare
