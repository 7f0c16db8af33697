#include "apps/lib/branch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

// What training has seen of a config when its beginning is over.
constexpr const char* kSeen[] = {"seed", "dataset", "model", "loss", "optimizer", "phases"};

Json seen_of(const Json& config) {
  Json json = Json::object();
  for (const char* key : kSeen) json[key] = config.value(key, Json());
  return json;
}

bool rewinds(const RunConfig& run) {
  return std::any_of(run.compression.begin(), run.compression.end(), [](const auto& entry) {
    const auto* prune = std::get_if<PruneConfig>(&entry.second.options);
    return prune && prune->rewind;
  });
}

// The distill methods whose teacher is the network at the end of this phase.
std::vector<std::string> learners_of(const RunConfig& run, const std::string& phase) {
  std::vector<std::string> names;
  for (const PhaseConfig& later : run.phases) {
    for (const std::string& name : later.apply) {
      const auto* distill = std::get_if<DistillConfig>(&run.method(name).options);
      if (distill && distill->teacher.phase == phase) names.push_back(name);
    }
  }
  return names;
}

// Gives them the network that the beginning ends with, as Teachers keeps it.
void add_teachers(Checkpoint& beginning, const std::vector<std::string>& names) {
  const Snapshot network = part_of(beginning.arrays, kNetworkArrays);
  for (const std::string& name : names) {
    if (beginning.teachers.contains(name)) continue;
    beginning.teachers[name] = beginning.network;
    for (NamedArray array : network) {
      array.name.replace(0, std::string_view(kNetworkArrays).size(), kTeacherArrays + name + "/");
      beginning.arrays.push_back(std::move(array));
    }
  }
}

}  // namespace

std::size_t phases_of_beginning(const RunConfig& run) {
  if (rewinds(run)) return 0;  // what is rewound to lies in the beginning
  std::size_t count = 1;
  while (count < run.phases.size() && run.phases[count].continues) ++count;
  const auto end = run.phases.begin() + static_cast<std::ptrdiff_t>(count);
  const bool dense = std::all_of(run.phases.begin(), end,
                                 [](const PhaseConfig& phase) { return phase.apply.empty(); });
  const bool teaches =  // before its end: that network is not there any more
      std::any_of(run.phases.begin(), end - 1,
                  [&](const PhaseConfig& phase) { return !learners_of(run, phase.name).empty(); });
  return dense && !teaches ? count : 0;
}

std::size_t last_dense_phase(const RunConfig& run) {
  std::size_t last = run.phases.size();
  std::vector<std::string> on;
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    for (const std::string& name : run.phases[i].release) std::erase(on, name);
    std::copy_if(run.phases[i].apply.begin(), run.phases[i].apply.end(), std::back_inserter(on),
                 [&](const std::string& name) { return run.method(name).compresses(); });
    if (on.empty()) last = i;
  }
  return last;
}

RunConfig beginning_of(const RunConfig& run) {
  const std::size_t count = phases_of_beginning(run);
  PARE_ENSURE(count > 0);
  RunConfig beginning = run;
  beginning.phases.resize(count);
  beginning.compression.clear();
  beginning.composition = Composition::mask_then_quantize;
  beginning.requantization = {};
  beginning.report = {.integer = ReportConfig::Integer::none,
                      .histograms = false,
                      .images = 0,
                      .tensorboard = false};
  return beginning;
}

Checkpoint branched(Checkpoint beginning, const RunConfig& run, const std::string& data_hash,
                    const std::string& what) {
  const std::size_t count = phases_of_beginning(run);
  if (count == 0) {
    throw ConfigError(fmt::format(
        "{}: cannot be branched from: the first phase of this run compresses already", what));
  }
  beginning.config = seen_of(beginning.config);
  require_same_run(beginning, seen_of(config::write(beginning_of(run))), data_hash, what);
  TrainingState& state = beginning.state;
  if (state.phase != count || state.started)
    throw ConfigError(what + ": cannot be branched from: that run is not over yet");
  const bool dense = run.final_methods().empty();
  for (EpochRow& row : state.rows) row.at_target = dense;
  if (!dense) state.best.reset();
  if (last_dense_phase(run) != count - 1) state.float_accuracy.reset();
  add_teachers(beginning, learners_of(run, run.phases[count - 1].name));
  return beginning;
}

}  // namespace pare
