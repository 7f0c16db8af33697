// A table of texts in columns as wide as they need.
#pragma once

#include <string>
#include <vector>

namespace pare {

// The first row is the header. Columns whose name begins with '>' stand to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  // Every line begins with two blanks and ends with a line feed.
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pare
