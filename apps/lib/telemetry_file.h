// telemetry.jsonl: one JSON object a row, appended while a run trains and cut back to the
// checkpoint when it is resumed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/lib/telemetry.h"
#include "framework/base/append_file.h"

namespace pare {

class TelemetryFile {
 public:
  // Keeps the rows up to and with those of `last` (none: no row). `phases`: the names of the run's,
  // in order. Throws FailedError, DataError.
  TelemetryFile(const std::string& path, const std::vector<std::string>& phases,
                std::optional<TelemetryMark> last);

  void add(std::span<const TelemetryRow> rows);
  // Puts what was added on the disk, before a checkpoint that knows of it. Throws FailedError, and
  // keeps it for the next time then.
  void flush();

 private:
  AppendFile file_;
  std::string pending_;
};

// The rows of a file up to the first that is unfinished or damaged; none where there is no file.
std::vector<TelemetryRow> read_telemetry(const std::string& path);

}  // namespace pare
