// A table of numbers with colours behind them: blue above a middle, orange below it, stronger is
// farther. The numbers stand in the cells, so that no colour carries a meaning alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pare::report {

struct HeatCell {
  std::string text;
  double distance = 0;    // from the middle; the farthest of a table has the strongest colour
  bool strong = false;    // bold
  std::string hint = {};  // a tooltip
};

struct HeatTable {
  std::string note;                    // above it
  std::vector<std::string> row_names;  // headings of the columns with the rows' labels
  std::string column_name;             // stands above the columns
  std::vector<std::string> columns;
  struct Row {
    std::vector<std::string> labels;  // one that is the same as in the row above is left out
    std::vector<std::optional<HeatCell>> cells;
  };
  std::vector<Row> rows;
};

// A <figure>; a cell without a value is a dash.
std::string to_html(const HeatTable& table);

}  // namespace pare::report
