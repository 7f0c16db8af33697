// The time axis of a run's charts: epochs, with its phases as bands.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/lib/report/line_chart.h"
#include "apps/lib/run_config.h"
#include "framework/schedule.h"

namespace pare {

// So many updates as epochs.
double epochs_at(const std::vector<ScheduleSpan>& spans, std::int64_t updates);

// `spans`: of the run's phases.
std::vector<report::Band> phase_bands(const RunConfig& run, const std::vector<ScheduleSpan>& spans);

}  // namespace pare
