// Tables: columns with a title each, cells that are HTML already. They scroll sideways where there
// is no room, and the first column stays.
#pragma once

#include <string>
#include <vector>

namespace pare::report {

struct Column {
  std::string title;
  std::string hint = {};  // what it means, as a tooltip
  bool is_text = false;   // numbers stand at the right
};

struct Table {
  std::vector<Column> columns;                 // titles are plain text
  std::vector<std::vector<std::string>> rows;  // HTML; as many cells as columns
  bool has_total = false;                      // the last row is set apart
};

std::string to_html(const Table& table);

}  // namespace pare::report
