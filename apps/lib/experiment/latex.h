// results.tex: the tables of an experiment for a paper, with booktabs' rules.
#pragma once

#include <string>

#include "apps/lib/experiment/collect.h"

namespace pare {

// A fragment to \input; it needs \usepackage{booktabs} and UTF-8, as every LaTeX since 2018 has.
std::string results_latex(const Plan& plan, const Collected& collected);

// Harmless in LaTeX's text mode.
std::string latex_escaped(const std::string& text);

}  // namespace pare
