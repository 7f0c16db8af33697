// results.md: the tables of an experiment for people.
#pragma once

#include <string>

#include "apps/lib/experiment/collect.h"

namespace pare {

std::string results_markdown(const Plan& plan, const Collected& collected);

}  // namespace pare
