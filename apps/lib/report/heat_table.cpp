#include "apps/lib/report/heat_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/lib/report/html.h"
#include "framework/base/error.h"

namespace pare::report {
namespace {

constexpr double kStrongest = 0.6;  // opacity

double farthest(const HeatTable& table) {
  double most = 0;
  for (const HeatTable::Row& row : table.rows) {
    for (const auto& cell : row.cells)
      most = cell ? std::max(most, std::abs(cell->distance)) : most;
  }
  return most > 0 ? most : 1;
}

// Names of methods and kinds may be broken at their underscores.
std::string breakable(const std::string& text) {
  std::string html;
  for (const char c : escape(text)) {
    html += c;
    if (c == '_') html += "<wbr>";
  }
  return html;
}

std::string heading(const HeatTable& table) {
  std::string html = "<thead><tr>";
  for (const std::string& name : table.row_names)
    html += fmt::format("<th scope=\"col\" class=\"text\" rowspan=\"2\">{}</th>", escape(name));
  html += fmt::format("<th scope=\"colgroup\" class=\"group\" colspan=\"{}\">{}</th></tr><tr>",
                      table.columns.size(), escape(table.column_name));
  for (const std::string& column : table.columns)
    html += fmt::format("<th scope=\"col\">{}</th>", breakable(column));
  return html + "</tr></thead>";
}

std::string cell_html(const std::optional<HeatCell>& cell, double most) {
  if (!cell) return "<td>–</td>";
  const char* side = cell->distance < 0 ? "wrong" : "right";
  const std::string hint = cell->hint.empty() ? "" : " title=\"" + escape(cell->hint) + "\"";
  const std::string text = escape(cell->text);
  return fmt::format("<td class=\"{}\" style=\"--a:{:.2f}\"{}>{}</td>", side,
                     kStrongest * std::abs(cell->distance) / most, hint,
                     cell->strong ? "<b>" + text + "</b>" : text);
}

std::string row_html(const HeatTable& table, std::size_t r, double most) {
  const HeatTable::Row& row = table.rows[r];
  PARE_ENSURE(row.labels.size() == table.row_names.size() &&
              row.cells.size() == table.columns.size());
  std::string html = "<tr>";
  bool same = r > 0;  // so far, as the row above
  for (std::size_t i = 0; i < row.labels.size(); ++i) {
    same = same && row.labels[i] == table.rows[r - 1].labels[i];
    html += fmt::format("<th scope=\"row\">{}</th>", same ? "" : escape(row.labels[i]));
  }
  for (const auto& cell : row.cells) html += cell_html(cell, most);
  return html + "</tr>\n";
}

}  // namespace

std::string to_html(const HeatTable& table) {
  std::string html = fmt::format(
      "<figure class=\"heat\"><figcaption>{}</figcaption>\n"
      "<div class=\"scroll\"><table>{}<tbody>\n",
      escape(table.note), heading(table));
  const double most = farthest(table);
  for (std::size_t r = 0; r < table.rows.size(); ++r) html += row_html(table, r, most);
  return html + "</tbody></table></div></figure>\n";
}

}  // namespace pare::report
