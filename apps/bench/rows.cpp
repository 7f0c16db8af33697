#include "apps/bench/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pare::bench {

Row against(Row row, const std::string& peer_name, double peer, const Timing& ours,
            const Timing& theirs) {
  row.peer = peer;
  row.peer_name = peer_name;
  row.ratio = theirs.median / ours.median;
  row.least_ratio = theirs.least / ours.least;
  row.spread = std::max(ours.spread, theirs.spread);
  return row;
}

std::string table(const std::vector<Row>& rows) {
  std::size_t width = 6;
  for (const Row& r : rows) width = std::max(width, r.net.size());
  std::string text =
      fmt::format("{:<{}} {:>5} {:>7} {:>5} {:>16} {:>16} {:>6} {:>6} {:>6}  {}\n", "net", width,
                  "batch", "threads", "mode", "ours", "peer", "ratio", "least", "spread", "peer");
  for (const Row& r : rows) {
    text += fmt::format("{:<{}} {:>5} {:>7} {:>5} {:>16}", r.net, width, r.batch, r.threads, r.mode,
                        fmt::format("{:.1f} {}", r.ours, r.unit));
    if (r.peer_name.empty()) {
      text += fmt::format(" {:>16} {:>6} {:>6} {:>6.2f}  no peer\n", "-", "-", "-", r.spread);
    } else {
      text += fmt::format(" {:>16} {:>6.2f} {:>6.2f} {:>6.2f}  {}\n",
                          fmt::format("{:.1f} {}", r.peer, r.unit), r.ratio, r.least_ratio,
                          r.spread, r.peer_name);
    }
  }
  return text;
}

std::string json(const std::vector<Row>& rows) {
  nlohmann::ordered_json document;
  document["rows"] = nlohmann::ordered_json::array();
  for (const Row& r : rows) {
    nlohmann::ordered_json row{{"net", r.net},
                               {"batch", r.batch},
                               {"threads", r.threads},
                               {"mode", r.mode},
                               {"ours", r.ours}};
    const bool none = r.peer_name.empty();
    row["peer"] = none ? nlohmann::ordered_json() : nlohmann::ordered_json(r.peer);
    row["peer_name"] = none ? nlohmann::ordered_json() : nlohmann::ordered_json(r.peer_name);
    row["ratio"] = none ? nlohmann::ordered_json() : nlohmann::ordered_json(r.ratio);
    row["least_ratio"] = none ? nlohmann::ordered_json() : nlohmann::ordered_json(r.least_ratio);
    row["spread"] = r.spread;
    row["unit"] = r.unit == "/s" ? "images/s" : r.unit;
    document["rows"].push_back(row);
  }
  return document.dump(1) + "\n";
}

}  // namespace pare::bench
