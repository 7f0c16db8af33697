// The tables of comparisons and of correlations, with the notes that say how to read them.
#pragma once

#include <string>

#include "apps/lib/experiment/tables.h"

namespace pare {

ResultTable comparison_table(const Plan& plan, const Comparison& comparison);

ResultTable correlation_table(const Plan& plan, const CorrelationResult& result);

// "4 distinct comparisons".
std::string distinct_comparisons(std::size_t count);

}  // namespace pare
