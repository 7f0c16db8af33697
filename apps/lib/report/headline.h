// The top of the page: the three accuracies with what they mean, then size, sparsity, work and
// proof in one line each.
#pragma once

#include <string>

#include "framework/config/value.h"

namespace pare::report {

// `result`: result.json.
std::string headline(const config::Json& result);

}  // namespace pare::report
