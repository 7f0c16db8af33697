#include "apps/lib/checkpoint.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "compression/network_json.h"
#include "framework/base/error.h"
#include "framework/config/parse_json.h"

namespace pare {
namespace {

using config::Json;

constexpr int kFormat = 2;

Json mark_to_json(const TelemetryMark& mark) {
  return {{"phase", mark.phase}, {"step", mark.step}};
}

Json state_to_json(const TrainingState& s) {
  Json rows = Json::array();
  for (const EpochRow& row : s.rows) rows.push_back(to_json_without_times(row));
  Json json = {{"phase", s.phase},
               {"started", s.started},
               {"step", s.step},
               {"run_step", s.run_step},
               {"loss_sum", s.loss_sum},
               {"updates", s.updates},
               {"images", s.images},
               {"correct", s.correct},
               {"rows", std::move(rows)},
               {"best", s.best ? Json(*s.best) : Json()},
               {"float_accuracy", s.float_accuracy ? Json(*s.float_accuracy) : Json()},
               {"init_hash", s.init_hash}};
  if (s.measured) json["measured"] = mark_to_json(*s.measured);
  return json;
}

TrainingState state_from_json(const Json& json) {
  TrainingState s{.phase = json.at("phase").get<std::size_t>(),
                  .started = json.at("started").get<bool>(),
                  .step = json.at("step").get<std::int64_t>(),
                  .run_step = json.at("run_step").get<std::int64_t>(),
                  .loss_sum = json.at("loss_sum").get<double>(),
                  .updates = json.at("updates").get<std::int64_t>(),
                  .images = json.at("images").get<std::int64_t>(),
                  .correct = json.at("correct").get<std::int64_t>()};
  for (const Json& row : json.at("rows")) s.rows.push_back(row_from_json(row));
  if (!json.at("best").is_null()) s.best = json.at("best").get<std::size_t>();
  if (!json.at("float_accuracy").is_null())
    s.float_accuracy = json.at("float_accuracy").get<double>();
  s.init_hash = json.at("init_hash").get<std::string>();
  if (json.contains("measured"))
    s.measured = {json["measured"].at("phase").get<std::size_t>(),
                  json["measured"].at("step").get<std::int64_t>()};
  return s;
}

// What a file may claim, so that nothing later indexes out of range.
void check(const TrainingState& s, const std::string& path) {
  const bool counts =
      s.step >= 0 && s.run_step >= s.step && s.updates >= 0 && s.images >= 0 && s.correct >= 0;
  if (!counts || (s.best && *s.best >= s.rows.size())) {
    throw DataError(path + ": the place where training stood makes no sense");
  }
}

// Which parameters the arrays have values for: a forged file cannot make us allocate more than one
// node beyond them.
class Covered {
 public:
  Covered(const Snapshot& arrays, const std::string& prefix) : prefix_(prefix) {
    for (const NamedArray& array : arrays) shapes_[array.name] = &array.shape;
  }
  void expect_last_node_of(const Network& network) const {
    network.nodes().back().module->visit_parameters([&](Parameter& parameter) {
      std::vector<std::int64_t> extents;
      for (int i = 0; i < parameter.shape().rank(); ++i) extents.push_back(parameter.shape()[i]);
      const auto found = shapes_.find(prefix_ + parameter.path());
      if (found != shapes_.end() && *found->second == extents) return;
      throw DataError("no values of this shape for '" + parameter.path() + "'");
    });
  }

 private:
  const std::string& prefix_;
  std::map<std::string, const std::vector<std::int64_t>*> shapes_;
};

Checkpoint checkpoint_from(Hdf5Image image, const std::string& path) {
  try {
    const Json json = config::parse_json(image.json, path);
    if (json.at("format").get<int>() != kFormat) {
      throw DataError(fmt::format("{}: expected a checkpoint of format {}, got {}", path, kFormat,
                                  json["format"].dump()));
    }
    Checkpoint checkpoint{.config = json.at("config"),
                          .network = json.at("network"),
                          .data_hash = json.at("data").get<std::string>(),
                          .state = state_from_json(json.at("state")),
                          .arrays = std::move(image.arrays),
                          .teachers = json.value("teachers", Json::object()),
                          .decisions = json.value("decisions", Json::object())};
    check(checkpoint.state, path);
    return checkpoint;
  } catch (const Json::exception& error) {
    throw DataError(path + ": is no checkpoint of Pare: " + error.what());
  }
}

}  // namespace

bool is_newer(const TrainingState& a, const TrainingState& b) {
  return std::pair(a.run_step, a.rows.size()) > std::pair(b.run_step, b.rows.size());
}

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  Json json = {{"format", kFormat},
               {"config", checkpoint.config},
               {"network", checkpoint.network},
               {"data", checkpoint.data_hash},
               {"state", state_to_json(checkpoint.state)}};
  if (!checkpoint.teachers.empty()) json["teachers"] = checkpoint.teachers;
  if (!checkpoint.decisions.empty()) json["decisions"] = checkpoint.decisions;
  save_hdf5(path, {json.dump(), checkpoint.arrays});
}

Checkpoint load_checkpoint(const std::string& path) {
  return checkpoint_from(load_hdf5(path), path);
}

Checkpoint decode_checkpoint(std::span<const std::byte> bytes, const std::string& what) {
  return checkpoint_from(decode_hdf5(bytes, what), what);
}

Network network_of(const Checkpoint& checkpoint, const std::string& what) {
  return network_of(checkpoint.network, checkpoint.arrays, kNetworkArrays, what);
}

Network network_of(const Json& description, const Snapshot& arrays, const std::string& prefix,
                   const std::string& what) {
  const Covered covered(arrays, prefix);
  try {
    Network network = rebuild_network(
        description, [&](const Network& so_far) { covered.expect_last_node_of(so_far); });
    restore(
        part_of(arrays, prefix), prefix,
        [&](StateVisitor& visitor) { network.visit_state(visitor); }, what);
    return network;
  } catch (const Json::exception& error) {
    throw DataError(what + ": its network cannot be read: " + error.what());
  } catch (const Error& error) {
    const std::string message = error.what();
    throw DataError(message.starts_with(what) ? message : what + ": " + message);
  }
}

void require_same_run(const Checkpoint& checkpoint, const Json& config,
                      const std::string& data_hash, const std::string& what) {
  if (checkpoint.config != config) {
    const Json there = checkpoint.config.flatten(), here = config.flatten();
    for (const Json* side : {&here, &there}) {
      for (const auto& [key, value] : side->items()) {
        const std::string a = there.contains(key) ? there[key].dump() : "absent";
        const std::string b = here.contains(key) ? here[key].dump() : "absent";
        if (a == b) continue;
        throw ConfigError(fmt::format(
            "{}: was written by another config: {} was {}, now it is {}; resume with the "
            "run's own config.json, or start again with --overwrite",
            what, key, a, b));
      }
    }
    throw ConfigError(what + ": was written by another config (keys in another order)");
  }
  if (checkpoint.data_hash != data_hash) {
    throw DataError(what +
                    ": was trained on other images than those found now (their SHA-256 differs)");
  }
}

}  // namespace pare
