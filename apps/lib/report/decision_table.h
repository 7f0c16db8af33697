// What an automatic search decided, as two tables: the plans that it tried, and what the chosen one
// gives every layer.
#pragma once

#include <string>

#include "framework/config/value.h"

namespace pare::report {

// `decision`: one entry of "auto" in result.json (apps/lib/auto/search.h).
std::string decision_tables(const std::string& method, const config::Json& decision);

}  // namespace pare::report
