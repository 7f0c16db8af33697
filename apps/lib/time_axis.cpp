#include "apps/lib/time_axis.h"

namespace pare {

double epochs_at(const std::vector<ScheduleSpan>& spans, std::int64_t updates) {
  const double per_epoch = spans.empty() ? 1 : spans[0].steps_per_epoch;
  return static_cast<double>(updates) / per_epoch;
}

std::vector<report::Band> phase_bands(const RunConfig& run,
                                      const std::vector<ScheduleSpan>& spans) {
  std::vector<report::Band> bands;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const std::int64_t end = begin + spans[i].steps;
    bands.push_back({run.phases[i].name, epochs_at(spans, begin), epochs_at(spans, end)});
    begin = end;
  }
  return bands;
}

}  // namespace pare
