// What telemetry looks like in report.html: three small charts a layer.
#pragma once

#include <span>
#include <vector>

#include "apps/lib/report/page.h"
#include "apps/lib/run_config.h"
#include "apps/lib/telemetry.h"

namespace pare {

// Zeros, changes from row to row, and errors of each layer, over the epochs of the run; of many
// rows some. Layers in the order in which they come.
std::vector<report::LayerCharts> telemetry_charts(std::span<const TelemetryRow> rows,
                                                  const RunConfig& run,
                                                  const std::vector<ScheduleSpan>& spans);

}  // namespace pare
