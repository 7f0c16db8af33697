// Cells of a large grid as matrices, which a reader can take in at once: one axis in the columns,
// the others in the rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/lib/experiment/comparison.h"
#include "apps/lib/experiment/tables.h"

namespace pare {

// More cells than this are a matrix instead of a list.
inline constexpr std::size_t kManyCells = 24;

struct MatrixCell {
  double value = 0;     // mean over seeds
  double distance = 0;  // from the middle: 0 of differences, otherwise the mean of its row
  bool marked = false;
  std::string text = {};  // "+0.12* (n=3)": value, mark, the number of seeds where some are missing
  std::string hint = {};  // interval and number of seeds
};

struct ResultMatrix {
  std::string title, note;
  std::vector<std::string> row_axes;
  std::string column_axis;
  std::vector<std::string> columns;
  struct Row {
    std::vector<std::string> labels;
    std::vector<std::optional<MatrixCell>> cells;
  };
  std::vector<Row> rows;
};

// The first figure of all cells, the first axis in columns, the best of each row marked (a mark of
// its own: it says nothing of chance); nothing for few cells or where fewer than two axes vary.
std::optional<ResultMatrix> matrix_of_cells(const Plan& plan, const Collected& collected);

// The differences of a comparison, its last axis in columns, marked where p is below 0.05 after
// Holm's correction; nothing where fewer than two axes vary.
std::optional<ResultMatrix> matrix_of(const Plan& plan, const Comparison& comparison);

// Three comparisons or more of the same cells side by side: the steps of a ladder.
std::optional<ResultMatrix> matrix_of(const Plan& plan, const std::vector<Comparison>& comparisons);

// Those of the report's comparisons (one of all where they go together), then that of all cells.
std::vector<ResultMatrix> matrices(const Plan& plan, const Collected& collected);

// The same as texts.
ResultTable to_table(const ResultMatrix& matrix);

}  // namespace pare
