#include "apps/lib/branch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "apps/lib/recognize.h"
#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

// What training has seen of a config when its beginning is over.
constexpr const char* kSeen[] = {"seed",      "dataset", "model",       "loss",
                                 "optimizer", "phases",  "compression", "composition"};

Json seen_of(const Json& config) {
  Json json = Json::object();
  for (const char* key : kSeen) json[key] = config.value(key, Json());
  return json;
}

template <class Options>
bool applies(const RunConfig& run) {
  return std::any_of(run.compression.begin(), run.compression.end(), [](const auto& entry) {
    return std::holds_alternative<Options>(entry.second.options);
  });
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

// The methods that are on in each phase.
std::vector<std::vector<std::string>> methods_on(const RunConfig& run) {
  std::vector<std::vector<std::string>> phases;
  std::vector<std::string> on;
  for (const PhaseConfig& phase : run.phases) {
    for (const std::string& name : phase.release) std::erase(on, name);
    on.insert(on.end(), phase.apply.begin(), phase.apply.end());
    phases.push_back(on);
  }
  return phases;
}

// Whether the methods of the first phases are made of their config and of what they have seen.
bool keeps_its_teachers(const RunConfig& run, std::size_t count) {
  bool dense = true;
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::string& name : run.phases[i].apply) {
      const auto& options = run.method(name).options;
      dense = false;
      if (std::holds_alternative<DistillConfig>(options) ||
          std::holds_alternative<AutoConfig>(options))
        return false;
    }
    const bool is_over = i + 1 < count;  // that network is not there any more
    if (!learners_of(run, run.phases[i].name).empty() && (is_over || !dense)) return false;
  }
  return true;
}

// A row says whether all methods of the run's end are on and have come to their targets. Those of a
// beginning are right where it ends with the same methods, or where none of them had these on.
bool rows_stay(const RunConfig& run, std::size_t count) {
  const auto on = methods_on(run);
  const auto first = on.begin(), end = on.begin() + static_cast<std::ptrdiff_t>(count);
  const bool dense = std::all_of(first, end, [](const auto& names) { return names.empty(); });
  if (!dense && run.report.telemetry > 0) return false;
  return on[count - 1] == on.back() || std::find(first, end, on.back()) == end;
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

std::vector<std::size_t> branch_points(const RunConfig& run) {
  std::vector<std::size_t> points;
  if (rewinds(run)) return points;  // what is rewound to lies in the beginning
  for (std::size_t count = 1; count <= run.phases.size(); ++count) {
    const bool cut = count < run.phases.size() && run.phases[count].continues;
    if (!cut && keeps_its_teachers(run, count) && rows_stay(run, count)) points.push_back(count);
  }
  return points;
}

bool is_applied(const RunConfig& run, const std::string& method) {
  return std::any_of(run.phases.begin(), run.phases.end(), [&](const PhaseConfig& phase) {
    return std::find(phase.apply.begin(), phase.apply.end(), method) != phase.apply.end();
  });
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

RunConfig beginning_of(const RunConfig& run, std::size_t phases) {
  PARE_ENSURE(phases > 0 && phases <= run.phases.size());
  RunConfig beginning = run;
  beginning.strategy.reset();
  beginning.phases.resize(phases);
  std::erase_if(beginning.compression,
                [&](const auto& entry) { return !is_applied(beginning, entry.first); });
  // What does nothing here must not keep two beginnings apart.
  if (!(applies<PruneConfig>(beginning) &&
        (applies<QuantizeConfig>(beginning) || applies<DynamicConfig>(beginning)))) {
    beginning.composition = Composition::mask_then_quantize;
  }
  if (!applies<ShrinkConfig>(beginning)) beginning.requantization = {};
  beginning.report = {.integer = ReportConfig::Integer::none,
                      .histograms = false,
                      .images = 0,
                      .tensorboard = false};
  return beginning;
}

Checkpoint branched(Checkpoint beginning, const RunConfig& run, const std::string& data_hash,
                    const std::string& what) {
  TrainingState& state = beginning.state;
  const std::size_t count = beginning.config["phases"].size();
  const std::vector<std::size_t> points = branch_points(run);
  if (std::find(points.begin(), points.end(), count) == points.end()) {
    throw ConfigError(fmt::format(
        "{}: cannot be branched from: that run has {} phases, and this one can go on {}", what,
        count, points.empty() ? "from none" : fmt::format("after {}", fmt::join(points, ", "))));
  }
  const RunConfig same = beginning_of(run, count);
  const RunConfig other = run_config_of(beginning, what);
  beginning.config = seen_of(config::write(beginning_of(other, count)));
  require_same_run(beginning, seen_of(config::write(same)), data_hash, what);
  if (state.phase != count || state.started)
    throw ConfigError(what + ": cannot be branched from: that run is not over yet");
  if (same.final_methods() != run.final_methods()) {
    for (EpochRow& row : state.rows) row.at_target = false;
    state.best.reset();
  }
  const std::size_t last = last_dense_phase(run);
  if (last >= count && last < run.phases.size()) state.float_accuracy.reset();
  // What it measured of itself is no part of this run.
  std::erase_if(beginning.arrays,
                [](const NamedArray& array) { return array.name.starts_with(kTelemetryArrays); });
  state.measured.reset();
  add_teachers(beginning, learners_of(run, run.phases[count - 1].name));
  return beginning;
}

}  // namespace pare
