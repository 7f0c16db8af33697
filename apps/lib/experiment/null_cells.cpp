#include "apps/lib/experiment/null_cells.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/null_order.h"
#include "framework/config/config.h"

namespace pare {
namespace {

// One run a cell; cells that are the same run cost nothing twice.
std::set<std::size_t> first_runs(const Plan& plan) {
  std::set<std::size_t> runs, seen;
  for (const PlannedRow& row : plan.rows) {
    if (seen.insert(row.cell).second) runs.insert(row.run);
  }
  return runs;
}

// The config with the switch at the first of the claimed values: where these agree, cells differ in
// the switch alone.
std::string without(const RunConfig& run, const NullSwitch& claim) {
  RunConfig same = with_switch(run, claim.key, claim.values.front());
  same.name.clear();
  return config::write(same).dump();
}

}  // namespace

std::vector<std::string> null_cells(const Plan& plan) {
  std::map<std::string, std::map<std::string, int>> claims;  // text -> config but for it -> runs
  for (const std::size_t i : first_runs(plan)) {
    const RunConfig run = config::read<RunConfig>(
        config::load_text(plan.runs[i].config.dump(), "the run", std::vector<std::string>{}));
    for (const NullSwitch& claim : null_switches(run))
      ++claims[to_text(claim)][without(run, claim)];
  }
  std::vector<std::string> texts;
  for (const auto& [text, configs] : claims) {
    int alike = 0;
    for (const auto& [config, runs] : configs) alike += runs > 1 ? runs : 0;
    if (alike > 0)
      texts.push_back(fmt::format("{} cells differ only in what has no effect: {}", alike, text));
  }
  return texts;
}

}  // namespace pare
