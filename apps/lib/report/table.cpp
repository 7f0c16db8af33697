#include "apps/lib/report/table.h"

#include <fmt/format.h>

#include "apps/lib/report/html.h"
#include "framework/base/error.h"

namespace pare::report {
namespace {

const char* style(const Column& column) { return column.is_text ? " class=\"text\"" : ""; }

std::string heading(const Table& table) {
  std::string html = "<thead><tr>";
  for (const Column& column : table.columns) {
    const std::string hint = column.hint.empty() ? "" : " title=\"" + escape(column.hint) + "\"";
    html += fmt::format("<th scope=\"col\"{}{}>{}</th>", style(column), hint, escape(column.title));
  }
  return html + "</tr></thead>";
}

}  // namespace

std::string to_html(const Table& table) {
  std::string html = "<div class=\"scroll\"><table>" + heading(table) + "<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    PARE_ENSURE(table.rows[r].size() == table.columns.size());
    const bool total = table.has_total && r + 1 == table.rows.size();
    html += total ? "<tr class=\"total\">" : "<tr>";
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const char* tag = c == 0 ? "th scope=\"row\"" : "td";
      html += fmt::format("<{}{}>{}</{}>", tag, style(table.columns[c]), table.rows[r][c],
                          c == 0 ? "th" : "td");
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace pare::report
