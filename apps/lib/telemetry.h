// Telemetry: what compression does to each layer while a run trains (compression/weight_telemetry.h
// has the formulas), every `report.telemetry` updates and at the end of each phase, for the layers
// that have a mask or a quantizer then.
//
// A row compares with the row before of the same layer. What that needs is kept in checkpoints, so
// a run that was stopped and resumed has the rows of one that was not.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/snapshot.h"
#include "compression/weight_telemetry.h"
#include "framework/config/value.h"
#include "layers/network.h"

namespace pare {

// What the names of its arrays in a checkpoint begin with.
inline constexpr const char* kTelemetryArrays = "telemetry/";

// When rows were written; in the order of a run.
struct TelemetryMark {
  std::size_t phase = 0;  // index
  std::int64_t step = 0;  // updates of the run
  auto operator<=>(const TelemetryMark&) const = default;
};

struct TelemetryRow {
  std::int64_t step = 0;  // updates of the run so far
  std::string phase = {};
  std::string layer = {};  // the node
  WeightTelemetry weight = {};
};

// Keys in the order of WeightTelemetry; null for what is missing.
config::Json to_json(const TelemetryRow& row);
// Throws nlohmann::json::exception where a key is missing or of another type.
TelemetryRow telemetry_from_json(const config::Json& json);

class Telemetry {
 public:
  // The layers of the network as they are now, between two updates; nothing where `mark` is not
  // later than the rows before.
  std::vector<TelemetryRow> measure(Network& network, const TelemetryMark& mark,
                                    const std::string& phase);

  // When the last rows were written.
  const std::optional<TelemetryMark>& last() const { return last_; }

  // "telemetry/<layer>/keep", "/codes", "/scales".
  void save(Snapshot& arrays) const;
  // What does not fit a layer is compared with nothing.
  void restore(const Snapshot& arrays, std::optional<TelemetryMark> last);

 private:
  std::map<std::string, WeightMoment> moments_;  // of each layer, at its last row
  std::optional<TelemetryMark> last_;
};

}  // namespace pare
