#include "apps/lib/experiment/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "apps/lib/experiment/comparison_tables.h"
#include "apps/lib/experiment/figures.h"

namespace pare {
namespace {

constexpr double kSignificant = 0.05;
constexpr std::string_view kSignificantMark = "*", kBestMark = "†";
constexpr double kTie = 1e-9;  // means of equal accuracies differ by less
constexpr std::size_t kFewestTogether = 3;

struct Entry {
  std::vector<std::size_t> at;  // point of each axis
  MatrixCell cell;
};

std::vector<std::size_t> varying_axes(const std::vector<Entry>& entries) {
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; !entries.empty() && i < entries[0].at.size(); ++i) {
    const bool varies = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.at[i] != entries[0].at[i];
    });
    if (varies) axes.push_back(i);
  }
  return axes;
}

// `in_columns`: the axis. Rows and columns in the order in which the entries come.
ResultMatrix arranged(const Plan& plan, const std::vector<Entry>& entries,
                      std::vector<std::size_t> in_rows, std::size_t in_columns) {
  const std::vector<Axis>& axes = plan.experiment.axes;
  std::erase(in_rows, in_columns);
  ResultMatrix matrix;
  matrix.column_axis = axes[in_columns].name;
  for (const std::size_t axis : in_rows) matrix.row_axes.push_back(short_name(axes[axis].name));
  std::vector<std::size_t> columns;
  for (const Entry& entry : entries) {
    if (std::find(columns.begin(), columns.end(), entry.at[in_columns]) == columns.end())
      columns.push_back(entry.at[in_columns]);
  }
  std::sort(columns.begin(), columns.end());
  for (const std::size_t point : columns)
    matrix.columns.push_back(axes[in_columns].points[point].label);
  for (const Entry& entry : entries) {
    std::vector<std::string> labels;
    for (const std::size_t axis : in_rows)
      labels.push_back(axes[axis].points[entry.at[axis]].label);
    auto row = std::find_if(matrix.rows.begin(), matrix.rows.end(),
                            [&](const auto& r) { return r.labels == labels; });
    if (row == matrix.rows.end())
      row =
          matrix.rows.insert(row, {labels, std::vector<std::optional<MatrixCell>>(columns.size())});
    const auto column = std::find(columns.begin(), columns.end(), entry.at[in_columns]);
    if (!entry.cell.text.empty())
      row->cells[static_cast<std::size_t>(column - columns.begin())] = entry.cell;
  }
  return matrix;
}

// `text` shows the mean. No text where no seed is finished.
MatrixCell cell_of(const std::string& figure, const Summary& s, const std::string& text,
                   std::size_t planned) {
  MatrixCell cell{.value = s.mean};
  if (s.n == 0) return cell;
  cell.text = text;
  if (static_cast<std::size_t>(s.n) < planned) cell.text += fmt::format(" (n={})", s.n);
  cell.hint = fmt::format("{} seeds", s.n);
  if (s.half_width) cell.hint = "± " + figure_text(figure, *s.half_width) + ", " + cell.hint;
  return cell;
}

// Behind the value: a number of seeds comes after it.
void mark(MatrixCell& cell, std::string_view with) {
  cell.marked = true;
  cell.text.insert(std::min(cell.text.find(' '), cell.text.size()), with);
}

// Distances from the mean of a row, and a mark on its largest values where it has smaller ones.
void compare_within_row(ResultMatrix::Row& row) {
  std::vector<MatrixCell*> cells;
  for (auto& cell : row.cells) {
    if (cell) cells.push_back(&*cell);
  }
  if (cells.empty()) return;
  double sum = 0, best = cells[0]->value, worst = best;
  for (const MatrixCell* cell : cells) {
    sum += cell->value;
    best = std::max(best, cell->value);
    worst = std::min(worst, cell->value);
  }
  for (MatrixCell* cell : cells) {
    cell->distance = cell->value - sum / static_cast<double>(cells.size());
    if (best - worst > kTie && best - cell->value <= kTie) mark(*cell, kBestMark);
  }
}

// The mean difference of each pair.
std::vector<Entry> entries_of(const Plan& plan, const Comparison& comparison) {
  const std::string& figure = plan.experiment.report.figures[0];
  std::vector<Entry> entries;
  for (const CellComparison& c : comparison.cells) {
    const std::string text = signed_text(figure, c.summary.mean);
    Entry entry{plan.cells[c.cells.a].at, cell_of(figure, c.summary, text, c.planned)};
    const std::vector<std::size_t>& b = plan.cells[c.cells.b].at;
    for (std::size_t i = 0; i < b.size(); ++i)  // what is contrasted does not vary
      entry.at[i] = entry.at[i] == b[i] ? b[i] : 0;
    entry.cell.distance = entry.cell.value;
    if (c.t_holm && *c.t_holm < kSignificant) mark(entry.cell, kSignificantMark);
    entries.push_back(std::move(entry));
  }
  return entries;
}

// `corrected`: what Holm's correction is over.
std::string difference_note(const Plan& plan, const std::string& corrected) {
  return fmt::format("Mean difference of {}; {} where p is below {} (paired t, Holm over {}).",
                     figure_title(plan.experiment.report.figures[0]), kSignificantMark,
                     kSignificant, corrected);
}

}  // namespace

std::optional<ResultMatrix> matrix_of_cells(const Plan& plan, const Collected& collected) {
  const std::string& figure = plan.experiment.report.figures[0];
  if (plan.cells.size() <= kManyCells) return std::nullopt;
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const Cell& cell = plan.cells[i];
    const Summary s = cell_summary(plan, collected, i, figure);
    entries.push_back(
        {cell.at, cell_of(figure, s, figure_text(figure, s.mean), cell.seeds.size())});
  }
  const std::vector<std::size_t> axes = varying_axes(entries);
  if (axes.size() < 2) return std::nullopt;
  ResultMatrix matrix = arranged(plan, entries, axes, axes.front());
  for (ResultMatrix::Row& row : matrix.rows) compare_within_row(row);
  matrix.title = "Overview: " + figure_title(figure) + " of all cells";
  matrix.note = fmt::format(
      "Mean over seeds; {} is the best of its row, every one of equal ones, and none where all are "
      "equal. Blue is above the mean of the row, orange below.",
      kBestMark);
  return matrix;
}

std::optional<ResultMatrix> matrix_of(const Plan& plan, const Comparison& comparison) {
  const std::vector<Entry> entries = entries_of(plan, comparison);
  const std::vector<std::size_t> axes = varying_axes(entries);
  if (axes.size() < 2) return std::nullopt;
  ResultMatrix matrix = arranged(plan, entries, axes, axes.back());
  matrix.title = "Overview: " + comparison.name;
  matrix.note = difference_note(plan, distinct_comparisons(comparison.tests));
  return matrix;
}

std::optional<ResultMatrix> matrix_of(const Plan& plan,
                                      const std::vector<Comparison>& comparisons) {
  if (comparisons.size() < kFewestTogether) return std::nullopt;
  ResultMatrix matrix{.title = "Overview: all comparisons",
                      .note = difference_note(plan, "the distinct comparisons of a column"),
                      .row_axes = {"cell"},
                      .column_axis = "difference",
                      .columns = {},
                      .rows = {}};
  for (const CellComparison& cell : comparisons[0].cells) matrix.rows.push_back({{cell.label}, {}});
  for (const Comparison& comparison : comparisons) {
    const std::vector<Entry> entries = entries_of(plan, comparison);
    if (entries.size() != matrix.rows.size()) return std::nullopt;
    matrix.columns.push_back(comparison.name);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (comparison.cells[i].label != matrix.rows[i].labels[0]) return std::nullopt;
      const MatrixCell& cell = entries[i].cell;
      matrix.rows[i].cells.push_back(cell.text.empty() ? std::nullopt : std::optional(cell));
    }
  }
  return matrix;
}

std::vector<ResultMatrix> matrices(const Plan& plan, const Collected& collected) {
  std::vector<ResultMatrix> all;
  const std::vector<Comparison> compared = comparisons(plan, collected);
  if (auto together = matrix_of(plan, compared)) {
    all.push_back(std::move(*together));
  } else {
    for (const Comparison& comparison : compared) {
      if (auto matrix = matrix_of(plan, comparison)) all.push_back(std::move(*matrix));
    }
  }
  if (auto matrix = matrix_of_cells(plan, collected)) all.push_back(std::move(*matrix));
  return all;
}

ResultTable to_table(const ResultMatrix& matrix) {
  ResultTable table{.title = matrix.title,
                    .note = matrix.note + " Columns: " + matrix.column_axis + ".",
                    .columns = matrix.row_axes,
                    .rows = {},
                    .texts = matrix.row_axes.size()};
  table.columns.insert(table.columns.end(), matrix.columns.begin(), matrix.columns.end());
  for (const ResultMatrix::Row& row : matrix.rows) {
    std::vector<std::string> texts = row.labels;
    for (const auto& cell : row.cells) texts.push_back(cell ? cell->text : "-");
    table.rows.push_back(std::move(texts));
  }
  return table;
}

}  // namespace pare
