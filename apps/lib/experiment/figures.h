// Figures: the numbers of a result.json that experiments are about, by their dotted names. Times
// are none of them: they differ from run to run, and go to a file of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/value.h"

namespace pare {

// In the order of results.csv: accuracy.float, ..., bops.
std::vector<std::string> result_figures();

// The value at "accuracy.integer" of a result; null where it is absent.
config::Json value_at(const config::Json& result, std::string_view path);

// The same as a number; nothing where it is null (a network that was not lowered).
std::optional<double> figure(const config::Json& result, std::string_view path);

// For people: accuracies and sparsities in percent, everything else as a number.
bool is_fraction(std::string_view name);
std::string figure_text(std::string_view name, double value);
// "accuracy.integer (%)".
std::string figure_title(std::string_view name);

}  // namespace pare
