// What is measured while a run trains: one row per validation. Rows are kept in the checkpoint
// without their times, so that equal runs have equal checkpoints, and in metrics.jsonl and
// metrics.csv with them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/value.h"

namespace pare {

struct EpochRow {
  std::int64_t epoch = 0;  // validations so far, this one included; a calibration counts none
  std::string phase = {};
  std::int64_t step = 0;  // updates of the run so far
  std::optional<double> loss =
      {};  // mean over the updates since the row before; none after a calibration
  std::optional<double> accuracy = {};  // on the (augmented) training images of those updates
  std::optional<double> validation = {};
  double learning_rate = 0;  // of the last update
  double sparsity = 0;       // masked weights / all weights
  bool at_target = false;    // the network has the compression that it ends with
  std::string status = {};   // of the methods: "95.5% zero W8A8"

  // Times; unknown for rows of an interrupted run whose metrics.jsonl is gone.
  std::optional<double> seconds = {};            // of the run so far
  std::optional<double> images_per_second = {};  // of training, without evaluation
};

config::Json to_json(const EpochRow& row);  // with times
config::Json to_json_without_times(const EpochRow& row);
// Throws nlohmann::json::exception where a key is missing or of another type.
EpochRow row_from_json(const config::Json& json);

// Replaces both files.
void write_metrics(const std::vector<EpochRow>& rows, const std::string& jsonl_path,
                   const std::string& csv_path);
// Fills in the times of rows from an older metrics.jsonl, where it has them.
void read_times(std::vector<EpochRow>& rows, const std::string& jsonl_path);

}  // namespace pare
