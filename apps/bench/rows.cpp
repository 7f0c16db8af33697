#include "apps/bench/rows.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pare::bench {

std::string table(const std::vector<Row>& rows) {
  std::string text =
      fmt::format("{:<6} {:>5} {:>7} {:>5} {:>12} {:>12} {:>6} {:>6} {:>6}  {}\n", "net", "batch",
                  "threads", "mode", "ours", "peer", "ratio", "least", "spread", "peer");
  for (const Row& r : rows) {
    const char* unit = r.mode == "int8" && r.batch == 1 ? "us" : "/s";
    text += fmt::format("{:<6} {:>5} {:>7} {:>5} {:>10.1f}{}", r.net, r.batch, r.threads, r.mode,
                        r.ours, unit);
    if (r.peer_name.empty()) {
      text += fmt::format(" {:>12} {:>6} {:>6} {:>6.2f}  no peer\n", "-", "-", "-", r.spread);
    } else {
      text += fmt::format(" {:>10.1f}{} {:>6.2f} {:>6.2f} {:>6.2f}  {}\n", r.peer, unit, r.ratio,
                          r.least_ratio, r.spread, r.peer_name);
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
    document["rows"].push_back(row);
  }
  return document.dump(1) + "\n";
}

}  // namespace pare::bench
