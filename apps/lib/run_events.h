// A run's TensorBoard file: the config as text, then one event per row of the metrics, then one of
// the result. docs/report.md lists the tags.
//
// Record 0 is the file's version, record 1 the config, record 2 + i belongs to row i. So a resumed
// run knows what to keep: the records of the rows that its checkpoint knows.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/metrics.h"
#include "apps/lib/run_config.h"
#include "apps/lib/tensorboard/event_file.h"
#include "layers/network.h"

namespace pare {

class RunEvents {
 public:
  // `rows`: those that the run has already; what the file lacks of them is written, without
  // histograms. Makes the folder. Throws FailedError.
  RunEvents(const std::string& folder, const RunConfig& run, const std::vector<EpochRow>& rows);

  // A new row, and the weights as they are.
  void row(const EpochRow& row, const Network& network);
  // The end: result.json's figures, at the last row's step.
  void result(const config::Json& result, std::int64_t step);

 private:
  bool histograms_;
  tensorboard::EventFile file_;
};

}  // namespace pare
