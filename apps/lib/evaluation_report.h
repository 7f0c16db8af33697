// An Evaluation as JSON (`evaluate --json`) and as text.
#pragma once

#include <string>

#include "apps/lib/evaluation.h"
#include "framework/config/value.h"

namespace pare {

// Fractions, not percents. accuracy.<column>: null, or {value, interval: [low, high]}; per_class:
// the share of each class's images that each column finds; confusion.counts[true][found].
config::Json to_json(const Evaluation& evaluation);

std::string to_text(const Evaluation& evaluation);

}  // namespace pare
