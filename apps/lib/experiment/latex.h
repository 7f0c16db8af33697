// results.tex: the tables of an experiment for a paper, with booktabs' rules.
#pragma once

#include <string>

#include "apps/lib/experiment/collect.h"

namespace pare {

// A fragment to \input; it needs \usepackage{booktabs} and UTF-8, as every LaTeX since 2018 has.
// What a reader must know (result_remarks) stands in comments and in the caption of the main table.
std::string results_latex(const Plan& plan, const Collected& collected);

// Harmless in LaTeX's text mode. Characters that need further packages become '?'; some letters
// with accents need T1 fonts.
std::string latex_escaped(const std::string& text);

}  // namespace pare
