// The check that every loader ends with: labels that a network can have units for.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pare {

// No data set may have more classes; gaps between labels count.
inline constexpr int kMostClasses = 65536;

// Throws DataError that names file, position, what was expected and what came, unless every label
// is in 0 .. classes-1.
void require_labels(std::span<const std::int32_t> labels, int classes, const std::string& path);

// The largest label plus one: labels that nothing carries are classes too. 0 without labels.
int classes_of(std::span<const std::int32_t> labels);

}  // namespace pare
