// Cells that differ in nothing but a switch that provably changes nothing (apps/lib/null_order.h):
// their runs cost time and answer what is known.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/experiment/plan.h"

namespace pare {

// One text for each switch, with the number of cells: what to say before such runs are trained.
std::vector<std::string> null_cells(const Plan& plan);

}  // namespace pare
