// The network before shrinking is built anew from the config: what is missing of its groups is
// gone. Where factors stand in place of its layers, nobody knows their sizes any more, and what is
// left is all that is counted.
#include "apps/lib/pruning_result.h"

#include <algorithm>

#include "compression/prune/target.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

Network whole_network(const RunConfig& run, const Dataset& dataset) {
  return build_network(run.model, dataset.train.shape, dataset.classes);
}

Json asked(const PruneConfig& prune) {
  if (prune.follows_sparsity()) return prune.sparsity.target();
  if (!prune.rewind) return {};
  double left = 1;
  for (std::int64_t round = 0; round < prune.rewind->rounds; ++round)
    left *= 1 - prune.rewind->per_round;
  return 1 - left;
}

Json fraction(std::int64_t part, std::int64_t whole) {
  return whole ? Json(static_cast<double>(part) / static_cast<double>(whole)) : Json();
}

template <class Options>
bool ends_with(const RunConfig& run) {
  const std::vector<std::string> names = run.final_methods();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::holds_alternative<Options>(run.method(name).options);
  });
}

// `before` is the network with all of the groups, or that of now.
Json pruned_json(const PruneConfig& prune, const Network& before, const Network& now) {
  std::vector<PruneTarget> left = find_targets(now, prune);
  adopt_masks(left);
  Json layers = Json::array();
  std::int64_t groups = 0, gone = 0;
  for (const PruneTarget& target : find_targets(before, prune)) {
    const auto same = std::find_if(left.begin(), left.end(),
                                   [&](const PruneTarget& t) { return t.name == target.name; });
    const std::int64_t kept = same == left.end() ? 0 : same->groups - same->pruned();
    layers.push_back({{"name", target.name},
                      {"groups", target.groups},
                      {"pruned", fraction(target.groups - kept, target.groups)}});
    groups += target.groups;
    gone += target.groups - kept;
  }
  return {{"asked", asked(prune)}, {"pruned", fraction(gone, groups)}, {"layers", layers}};
}

}  // namespace

Json pruning_json(const RunConfig& run, const Dataset& dataset, const Network& network) {
  Json list = Json::array();
  const bool is_whole = !ends_with<ShrinkConfig>(run) || ends_with<FactorizeConfig>(run);
  for (const std::string& name : run.final_methods()) {
    const auto* prune = std::get_if<PruneConfig>(&run.method(name).options);
    if (!prune) continue;
    const Json keys = config::write(*prune);
    Json entry = {{"name", name}, {"method", prune->method}, {"granularity", keys["granularity"]}};
    entry.update(is_whole ? pruned_json(*prune, network, network)
                          : pruned_json(*prune, whole_network(run, dataset), network));
    list.push_back(std::move(entry));
  }
  return list;
}

Json shrink_json(const RunConfig& run, const Dataset& dataset, const Network& network,
                 const Outcome& outcome, const integer::Program* whole) {
  if (!ends_with<ShrinkConfig>(run)) return {};
  const Network before = whole_network(run, dataset);
  const auto both = [](Json a, Json b) { return Json{{"before", a}, {"after", b}}; };
  return {{"macs", both(before.macs(), network.macs())},
          {"parameters", both(before.parameter_count(), network.parameter_count())},
          {"latency_us", both(whole ? Json(latency_us(*whole)) : Json(),
                              outcome.integer ? Json(outcome.integer->latency_us) : Json())}};
}

}  // namespace pare
