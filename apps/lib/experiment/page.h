// index.html: what an experiment found, on one page that needs neither network nor scripts.
#pragma once

#include <string>

#include "apps/lib/experiment/collect.h"

namespace pare {

std::string results_page(const Plan& plan, const Collected& collected);

}  // namespace pare
