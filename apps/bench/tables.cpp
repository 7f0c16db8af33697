#include "apps/bench/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/text.h"

namespace pare::bench {
namespace {

constexpr std::size_t kCell = 34;  // a peer's group of columns

// The rows of one measurement, one per peer.
using Measurement = std::vector<const Row*>;

bool together(const Row& a, const Row& b) {
  return a.net == b.net && a.batch == b.batch && a.threads == b.threads && a.mode == b.mode;
}

std::vector<Measurement> measurements(const std::vector<Row>& rows) {
  std::vector<Measurement> all;
  for (const Row& row : rows) {
    if (all.empty() || !together(*all.back()[0], row)) all.emplace_back();
    all.back().push_back(&row);
  }
  return all;
}

void add_new(std::vector<std::string>& list, const std::string& entry) {
  if (std::find(list.begin(), list.end(), entry) == list.end()) list.push_back(entry);
}

std::vector<std::string> peer_names(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (!row.peer_name.empty()) add_new(names, row.peer_name);
  }
  return names;
}

std::string cell(const Measurement& measurement, const std::string& peer) {
  for (const Row* row : measurement) {
    if (row->peer_name != peer) continue;
    return fmt::format("{:>13.1f} {:>6.2f} {:>6.2f} {:>6.2f}", row->peer, row->ratio,
                       row->least_ratio, row->spread);
  }
  return fmt::format("{:>13} {:>6} {:>6} {:>6}", "-", "-", "-", "-");
}

nlohmann::json parsed(const std::string& details) {
  return details.empty() ? nlohmann::json::object() : nlohmann::json::parse(details);
}

// Each line once.
std::string foot(const std::vector<Row>& rows) {
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    const nlohmann::json details = parsed(row.details);
    if (details.contains("setup")) {
      add_new(lines, row.peer_name + ": " + details["setup"].get<std::string>());
    }
    for (const std::string& reason : untuned(row.details)) {
      add_new(lines, row.peer_name + " is NOT TUNED: " + reason);
    }
  }
  return lines.empty() ? "" : "\n" + join(lines, "\n") + "\n";
}

}  // namespace

std::vector<std::string> untuned(const std::string& details) {
  return parsed(details).value("untuned", std::vector<std::string>());
}

std::string train_table(const std::vector<Row>& rows) {
  const std::vector<std::string> peers = peer_names(rows);
  std::string names = fmt::format("{:>33} {:>13} {:>6}", "", "", ""), text;
  std::string heads = fmt::format("{:<10} {:>5} {:>7} {:>8} {:>13} {:>6}", "net", "batch",
                                  "threads", "mode", "ours /s", "spread");
  names.resize(heads.size(), ' ');
  for (const std::string& peer : peers) {
    names += " | " + fmt::format("{:<{}}", peer, kCell);
    heads += " | " + fmt::format("{:>13} {:>6} {:>6} {:>6}", "/s", "ratio", "least", "spread");
  }
  if (!peers.empty()) text = names.substr(0, names.find_last_not_of(' ') + 1) + "\n";
  text += heads + "\n";
  for (const Measurement& measurement : measurements(rows)) {
    const Row& row = *measurement[0];
    text += fmt::format("{:<10} {:>5} {:>7} {:>8} {:>13.1f} {:>6.2f}", row.net, row.batch,
                        row.threads, row.mode, row.ours, row.own_spread);
    for (const std::string& peer : peers) text += " | " + cell(measurement, peer);
    text += peers.empty() ? "  no peer\n" : "\n";
  }
  return text + foot(rows);
}

std::string kernel_lines(const std::vector<Row>& rows) {
  std::size_t width = 6;
  for (const Row& row : rows) width = std::max(width, row.net.size());
  std::string text =
      fmt::format("{:<{}} {:>7} {:>10} {:>15} {:>15} {:>6} {:>6} {:>6}  {}\n", "kernel", width,
                  "threads", "us", "ours", "peer", "ratio", "least", "spread", "peer");
  for (const Row& row : rows) {
    text += fmt::format("{:<{}} {:>7} {:>10.1f} {:>15} {:>15} {:>6.2f} {:>6.2f} {:>6.2f}  {}\n",
                        row.net, width, row.threads, row.call ? row.call->us : 0.0,
                        fmt::format("{:.1f} {}", row.ours, row.unit),
                        fmt::format("{:.1f} {}", row.peer, row.unit), row.ratio, row.least_ratio,
                        row.spread, row.peer_name);
  }
  return text;
}

}  // namespace pare::bench
