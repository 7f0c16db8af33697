// What infer prints: labels and codes, as lines or as one JSON document, and how many labels are
// right.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare::infer {

struct Predictions {
  std::int64_t classes = 0;
  std::vector<std::int8_t> codes;      // images x classes
  std::vector<std::int32_t> labels;    // found; one per image
  std::vector<std::int32_t> expected;  // empty where unknown

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t correct() const;
  std::span<const std::int8_t> codes_of(std::int64_t image) const;
};

// The `count` best classes of one image: larger codes first, of equal ones the smaller class.
std::vector<std::int32_t> best_classes(std::span<const std::int8_t> codes, std::int64_t count);

// One line per image: its number, then class:code for the best `top` classes.
std::string lines(const Predictions& predictions, std::int64_t top);
// "9934 of 10000 correct: 99.34 %"
std::string accuracy_line(const Predictions& predictions);
std::string json(const Predictions& predictions, const std::string& model, std::int64_t top);

}  // namespace pare::infer
