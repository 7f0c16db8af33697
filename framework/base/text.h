// Small helpers for messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pare {

// Edits (insert, delete, replace, swap of neighbours) that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, or "" where none is within a third of its length (at least 2
// edits).
std::string nearest(std::string_view name, std::span<const std::string> candidates);

// " (did you mean 'x'?)" or "".
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

// 1234567 -> "1,234,567".
std::string grouped(std::int64_t n);

std::string join(std::span<const std::string> items, std::string_view separator);

// Glob over paths: '*' matches any run of characters, '?' one. A pattern "re:..." is an ECMAScript
// regular expression.
bool matches(std::string_view pattern, std::string_view path);

}  // namespace pare
