#include "apps/lib/experiment/latex.h"

#include <fmt/format.h>

#include "apps/lib/experiment/tables.h"
#include "framework/base/text.h"

namespace pare {
namespace {

// Not all fonts have these.
constexpr std::pair<const char*, const char*> kWords[] = {{"±", "$\\pm$"}, {"→", "$\\to$"}};

std::string row_text(const std::vector<std::string>& fields) {
  std::vector<std::string> safe;
  for (const std::string& field : fields) safe.push_back(latex_escaped(field));
  return "  " + join(safe, " & ") + " \\\\\n";
}

std::string columns_of(const ResultTable& table) {
  return std::string(table.texts, 'l') + std::string(table.columns.size() - table.texts, 'r');
}

// Over several pages, with the heading on each.
std::string long_table_text(const ResultTable& table, const std::string& caption) {
  const std::string heading = "  \\toprule\n" + row_text(table.columns) + "  \\midrule\n";
  std::string text = "\\begin{longtable}{" + columns_of(table) + "}\n  \\caption{" +
                     latex_escaped(caption) + "} \\\\\n" + heading + "  \\endfirsthead\n" +
                     heading + "  \\endhead\n";
  for (const std::vector<std::string>& row : table.rows) text += row_text(row);
  return text + "  \\bottomrule\n\\end{longtable}\n";
}

std::string table_text(const ResultTable& table, const std::string& name) {
  constexpr std::size_t kOnePage = 45;
  const std::string caption = table.title.empty() ? name : table.title + ". " + table.note;
  if (table.rows.size() > kOnePage) return long_table_text(table, caption);
  std::string text = "\\begin{table}\n  \\centering\n  \\caption{" + latex_escaped(caption) + "}\n";
  text += "  \\begin{tabular}{" + columns_of(table) + "}\n  \\toprule\n";
  text += row_text(table.columns) + "  \\midrule\n";
  for (const std::vector<std::string>& row : table.rows) text += row_text(row);
  return text + "  \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
}

}  // namespace

std::string latex_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\textbackslash{}";
        break;
      case '~':
        result += "\\textasciitilde{}";
        break;
      case '^':
        result += "\\textasciicircum{}";
        break;
      case '<':
        result += "$<$";
        break;
      case '>':
        result += "$>$";
        break;
      case '\n':
        result += ' ';
        break;
      default:
        if (std::string_view("%&#_{}$").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
  }
  for (const auto& [word, with] : kWords) {
    for (std::size_t at; (at = result.find(word)) != std::string::npos;)
      result.replace(at, std::string_view(word).size(), with);
  }
  return result;
}

std::string results_latex(const Plan& plan, const Collected& collected) {
  std::string text =
      "% Written by Pare; needs \\usepackage{booktabs} and, for long tables, "
      "\\usepackage{longtable}.\n";
  for (const ResultTable& table : result_tables(plan, collected))
    text += table_text(table, plan.experiment.name);
  return text;
}

}  // namespace pare
