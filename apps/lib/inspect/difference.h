// What differs between two runs, configs, checkpoints or models of the same kind.
#pragma once

#include <string>

#include "framework/config/value.h"

namespace pare {

// Two documents (documents.h) of one kind -> {"what": "difference", "of", "a", "b", "keys":
// [{"path", "a", "b"}] (config keys, or all values of a checkpoint or model), "figures": [{"name",
// "a", "b"}], "layers": [{"name", "figures": [...]}]}. null stands for what one side has not.
// Throws ConfigError where the kinds differ.
config::Json difference_of(const config::Json& a, const config::Json& b);

std::string difference_text(const config::Json& difference);

}  // namespace pare
