#include "apps/lib/experiment/same_data.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/experiment/figures.h"
#include "datasets/kinds.h"
#include "datasets/search.h"

namespace pare {
namespace {

using config::Json;

void refuse_fallback(const std::string& folder, const Json& result) {
  const Json kind = value_at(result, "dataset.kind"),
             requested = value_at(result, "dataset.requested");
  if (kind == requested) return;
  throw FailedError(fmt::format(
      "'{}': was trained on {} instead of {}, and an experiment compares runs on one data set; "
      "remove that folder, or write another one with --out",
      folder, kind.dump(), requested.dump()));
}

// Files that a config names itself (kinds without files of their own) are looked for by the run.
void require_files(const std::string& name, const std::vector<DataFolder>& folders) {
  const DatasetKind& kind = dataset_kind(name);
  if (kind.files.empty()) return;
  find_files(folders, subfolders(kind), kind.files, "data set '" + name + "'",
             fmt::format("To download it: ./pare fetch {}. An experiment uses no dataset.fallback; "
                         "on digits, which need no files, it runs with --set dataset.kind=digits.",
                         name));
}

}  // namespace

void SameImages::add(const PlannedRun& run, const Json& result, const std::string& folder) {
  refuse_fallback(folder, result);
  const Json hash = value_at(result, "dataset.hash");
  if (!hash.is_string()) return;
  const std::string which = run.config.at("dataset").dump() + " " + run.config.at("seed").dump();
  const auto [place, is_new] = seen_.emplace(which, Seen{hash, folder});
  if (is_new || place->second.hash == hash) return;
  throw FailedError(
      fmt::format("'{}' and '{}': were trained on different images under one name, {} "
                  "(dataset.hash {} and {}), "
                  "and an experiment compares runs on one data set; keep those of one of the two",
                  place->second.folder, folder, value_at(result, "dataset.kind").dump(),
                  place->second.hash.substr(0, 12), hash.get<std::string>().substr(0, 12)));
}

void require_same_data(const Plan& plan, const Collected& collected,
                       const std::vector<std::size_t>& runs, const ExperimentFolder& folder,
                       const std::string& data_dir) {
  if (plan.smoke) return;
  SameImages images;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    if (!collected.results[i]) continue;
    const std::string run = folder.run(plan.runs[i].hash);
    images.add(plan.runs[i], *collected.results[i], run);
  }
  std::set<std::string> kinds;
  for (const std::size_t i : runs) {
    if (!collected.results[i])
      kinds.insert(plan.runs[i].config.at("dataset").at("kind").get<std::string>());
  }
  const std::vector<DataFolder> folders = data_folders(data_dir, [](const std::string&) {});
  for (const std::string& kind : kinds) require_files(kind, folders);
}

}  // namespace pare
