// Checkpoint: everything that training needs to go on with the same bits, as one HDF5 file.
//
// Its JSON holds the config, the network (nodes, shapes, attached transforms), the hash of the
// data, where training stands and the metrics so far, without times; its arrays hold weights,
// masks, quantizers (network/), the methods' own state (methods/) and the optimizer's moments
// (optimizer/). Nothing in it depends on time, host, paths or threads.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/lib/metrics.h"
#include "apps/lib/snapshot.h"
#include "apps/lib/telemetry.h"
#include "framework/config/value.h"
#include "layers/network.h"

namespace pare {

// What the names of a checkpoint's arrays begin with (teachers/NAME/... for each of `teachers`).
inline constexpr const char* kNetworkArrays = "network/";
inline constexpr const char* kMethodArrays = "methods/";
inline constexpr const char* kOptimizerArrays = "optimizer/";
inline constexpr const char* kTeacherArrays = "teachers/";

// Where training stands, between two updates.
struct TrainingState {
  std::size_t phase = 0;      // index; the number of phases when training is over
  bool started = false;       // the phase's methods are attached, its optimizer exists
  std::int64_t step = 0;      // updates of this phase so far
  std::int64_t run_step = 0;  // of the run
  // Since the last row:
  double loss_sum = 0;
  std::int64_t updates = 0, images = 0, correct = 0;

  std::vector<EpochRow> rows = {};
  std::optional<std::size_t> best = {};       // the row whose network is kept
  std::optional<double> float_accuracy = {};  // on the test images, of the dense network
  std::optional<TelemetryMark> measured = {};  // when the last rows of telemetry were written
  std::string init_hash = {};  // of the file that the first weights came from; "" where drawn
};

// Whether `a` stands later in its run than `b`.
bool is_newer(const TrainingState& a, const TrainingState& b);

struct Checkpoint {
  config::Json config;   // resolved
  config::Json network;  // compression/network_json.h
  std::string data_hash;
  TrainingState state;
  Snapshot arrays = {};
  config::Json teachers = config::Json::object();  // networks to learn from, by name of the method
  config::Json decisions = config::Json::object();  // of auto methods so far (auto/search.h), by name
};

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path);

// Throws DataError where the file is missing, damaged, or no checkpoint.
Checkpoint load_checkpoint(const std::string& path);
// The same for a file's bytes; `what` names it.
Checkpoint decode_checkpoint(std::span<const std::byte> bytes, const std::string& what);

// The network itself, with everything attached to it and every value in place: from the checkpoint
// alone, never from its config. Throws DataError that begins with `what`.
Network network_of(const Checkpoint& checkpoint, const std::string& what);
// The same for a network that `description` (network_json.h) and the arrays below `prefix` hold.
Network network_of(const config::Json& description, const Snapshot& arrays,
                   const std::string& prefix, const std::string& what);

// Throws ConfigError naming the first key that differs, DataError where the data differ.
void require_same_run(const Checkpoint& checkpoint, const config::Json& config,
                      const std::string& data_hash, const std::string& what);

}  // namespace pare
