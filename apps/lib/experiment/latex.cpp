#include "apps/lib/experiment/latex.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "apps/lib/experiment/tables.h"
#include "framework/base/text.h"

namespace pare {
namespace {

// What TeX reads as something else, and characters that it or a font may not know.
constexpr std::pair<std::string_view, std::string_view> kSymbols[] = {
    {"\\", "\\textbackslash{}"},
    {"~", "\\textasciitilde{}"},
    {"^", "\\textasciicircum{}"},
    {"|", "\\textbar{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"%", "\\%"},
    {"&", "\\&"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"$", "\\$"},
    {"`", "'"},
    {"\u00a0", "~"},
    {"±", "$\\pm$"},
    {"×", "$\\times$"},
    {"÷", "$\\div$"},
    {"·", "$\\cdot$"},
    {"−", "$-$"},
    {"≤", "$\\le$"},
    {"≥", "$\\ge$"},
    {"≠", "$\\ne$"},
    {"≈", "$\\approx$"},
    {"∞", "$\\infty$"},
    {"→", "$\\to$"},
    {"←", "$\\leftarrow$"},
    {"°", "$^\\circ$"},
    {"²", "$^2$"},
    {"³", "$^3$"},
    {"µ", "$\\mu$"},  // the sign
    {"μ", "$\\mu$"},  // the letter
    {"α", "$\\alpha$"},
    {"β", "$\\beta$"},
    {"γ", "$\\gamma$"},
    {"δ", "$\\delta$"},
    {"ε", "$\\varepsilon$"},
    {"λ", "$\\lambda$"},
    {"ρ", "$\\rho$"},
    {"σ", "$\\sigma$"},
    {"τ", "$\\tau$"},
    {"Δ", "$\\Delta$"},
    {"Σ", "$\\Sigma$"},
    {"–", "--"},
    {"—", "---"},
    {"‘", "`"},
    {"’", "'"},
    {"“", "``"},
    {"”", "''"},
    {"…", "\\ldots{}"},
    {"•", "$\\bullet$"},
    {"†", "$\\dagger$"},
    {"‡", "$\\ddagger$"},
};

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The bytes of the character that the text begins with; 1 where that is no UTF-8.
std::size_t length_of_first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xC0 ? 1U : lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : 4U;
  if (length > text.size()) return 1;
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                     continues)
             ? length
             : 1;
}

// Characters that need further packages become '?': a table that compiles is worth more.
std::string latex_of(std::string_view symbol) {
  for (const auto& [from, to] : kSymbols) {
    if (symbol == from) return std::string(to);
  }
  const auto lead = static_cast<unsigned char>(symbol[0]);
  const bool is_accented = symbol.size() == 2 && lead >= 0xC3 && lead <= 0xC5;  // À to ž
  if (is_accented) return std::string(symbol);
  if (lead >= 0x80) return "?";
  return lead < 0x20 || lead == 0x7F ? " " : std::string(symbol);
}

// A '[' at the beginning would be an argument of the \midrule or \\ before it, a '*' part of \\.
std::string row_text(const std::vector<std::string>& fields) {
  std::vector<std::string> safe;
  for (const std::string& field : fields) safe.push_back(latex_escaped(field));
  const std::string text = join(safe, " & ");
  const std::size_t first = text.find_first_not_of(' ');
  const bool is_argument = first != std::string::npos && (text[first] == '[' || text[first] == '*');
  return (is_argument ? "  {}" : "  ") + text + " \\\\\n";
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

std::string table_text(const ResultTable& table, const std::string& caption) {
  constexpr std::size_t kOnePage = 45;
  if (table.rows.size() > kOnePage) return long_table_text(table, caption);
  std::string text = "\\begin{table}\n  \\centering\n  \\caption{" + latex_escaped(caption) + "}\n";
  text += "  \\begin{tabular}{" + columns_of(table) + "}\n  \\toprule\n";
  text += row_text(table.columns) + "  \\midrule\n";
  for (const std::vector<std::string>& row : table.rows) text += row_text(row);
  return text + "  \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
}

// What is there comes first.
std::vector<std::string> all_remarks(const Plan& plan, const Collected& collected) {
  std::vector<std::string> remarks = result_remarks(plan, collected);
  if (collected.finished() < plan.runs.size()) {
    remarks.insert(remarks.begin(), fmt::format("{} of {} runs are finished.", collected.finished(),
                                                plan.runs.size()));
  }
  return remarks;
}

std::string caption_of(const ResultTable& table, const std::string& experiment,
                       const std::vector<std::string>& remarks) {
  if (!table.of_all_cells) return table.title + ". " + table.note;
  std::string caption = experiment +
                        ". Mean ± standard deviation over seeds; the interval is that of the mean "
                        "(Student's t).";
  for (const std::string& remark : remarks) caption += " " + remark;
  return caption;
}

}  // namespace

std::string latex_escaped(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const std::string_view symbol = rest.substr(0, length_of_first(rest));
    if (symbol == "-" && result.ends_with('-')) result += "{}";  // no dash
    result += latex_of(symbol);
    at += symbol.size();
  }
  return result;
}

std::string results_latex(const Plan& plan, const Collected& collected) {
  std::string text =
      "% Written by Pare; needs \\usepackage{booktabs} and, for long tables, "
      "\\usepackage{longtable}.\n";
  const std::vector<std::string> remarks = all_remarks(plan, collected);
  for (const std::string& remark : remarks) text += "% " + remark + "\n";
  for (const ResultTable& table : result_tables(plan, collected))
    text += table_text(table, caption_of(table, plan.experiment.name, remarks));
  return text;
}

}  // namespace pare
