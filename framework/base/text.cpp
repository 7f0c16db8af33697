// Distances between names for "did you mean", and the patterns that configs use to select
// parameters and nodes. Inputs are short names, so the quadratic edit distance is all that is
// needed.
#include "framework/base/text.h"

#include <algorithm>
#include <regex>
#include <vector>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::size_t kLongestExpression = 1000;  // std::regex compiles by recursion

bool matches_expression(const std::string& expression, std::string_view path) {
  if (expression.size() > kLongestExpression) {
    throw ConfigError("pattern: expected a regular expression of at most " +
                      std::to_string(kLongestExpression) + " characters, got " +
                      std::to_string(expression.size()));
  }
  try {
    return std::regex_match(path.begin(), path.end(), std::regex(expression));
  } catch (const std::regex_error& error) {
    throw ConfigError("pattern 're:" + expression + "': not a regular expression: " + error.what());
  }
}

// Greedy: after a mismatch only the last '*' has to be retried, one character further on.
bool matches_glob(std::string_view pattern, std::string_view path) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == path[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

// Optimal string alignment: rows i-2, i-1 and i of the dynamic program are enough.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = row[j - 1] + (a[i - 1] != b[j - 1]);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // A short name is two edits away from everything; a candidate with nothing in common is no
    // help.
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= std::max(name.size(), candidate.size())) continue;
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  const std::string best = nearest(name, candidates);
  return best.empty() ? "" : " (did you mean '" + best + "'?)";
}

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::ptrdiff_t first = n < 0 ? 1 : 0;
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > first; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string join(std::span<const std::string> items, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += separator;
    text += items[i];
  }
  return text;
}

bool matches(std::string_view pattern, std::string_view path) {
  if (pattern.starts_with("re:")) return matches_expression(std::string(pattern.substr(3)), path);
  return matches_glob(pattern, path);
}

}  // namespace pare
