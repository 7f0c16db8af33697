// What an experiment found, as tables of texts: one source for Markdown, LaTeX and the page.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/experiment/comparison.h"

namespace pare {

struct ResultTable {
  std::string title;  // "": of all cells, where it comes first
  std::string note;   // a sentence or two on how to read it
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t texts = 1;  // leading columns that are words; numbers stand at the right
  bool of_all_cells = false;
};

// One row a cell, and the rows of plain training with the same budget.
ResultTable main_table(const Plan& plan, const Collected& collected);

// The main table, comparisons, correlations and Pareto fronts, as far as there are any. A main
// table of many rows comes last.
std::vector<ResultTable> plain_tables(const Plan& plan, const Collected& collected);

// Matrices (matrix.h), then the plain tables.
std::vector<ResultTable> result_tables(const Plan& plan, const Collected& collected);

// What a reader must know before believing them: other data, smoke runs, how integers came about.
// One line each.
std::vector<std::string> result_remarks(const Plan& plan, const Collected& collected);

// "97.62 ± 0.12", "97.50 to 97.74"; "-" where there is nothing to show.
std::string mean_text(const std::string& name, const Summary& s);
std::string interval_text(const std::string& name, const Summary& s);
// "+0.12"; what rounds to zero has no sign.
std::string signed_text(const std::string& name, double value);

// "8, 90 %": the labels of a cell's points, without names.
std::string points_label(const Plan& plan, std::size_t cell);

// Cells that are on the front of the first figure against `cost`; of those with the same runs one.
std::vector<std::size_t> front_of(const Plan& plan, const Collected& collected,
                                  const std::string& cost);

}  // namespace pare
