#include "apps/lib/rewind_point.h"

#include <fmt/format.h>

#include <cmath>

#include "framework/base/error.h"

namespace pare {
namespace {

const std::string kRewindArrays = "rewind/";

}  // namespace

RewindPoint::RewindPoint(const RunConfig& run, const std::vector<ScheduleSpan>& spans) {
  for (const PhaseConfig& phase : run.phases) {
    for (const std::string& name : phase.apply) {
      const auto* prune = std::get_if<PruneConfig>(&run.method(name).options);
      if (!prune || !prune->rewind) continue;
      const std::int64_t step = std::llround(prune->rewind->to * spans[0].steps_per_epoch);
      const std::string where = "compression." + name + ".rewind.to: ";
      if (step > spans[0].steps) {
        throw ConfigError(fmt::format(
            "{}expected an epoch of the first phase, '{}', which has {:g}, got {:g}", where,
            run.phases[0].name, static_cast<double>(spans[0].steps) / spans[0].steps_per_epoch,
            prune->rewind->to));
      }
      if (step_ && *step_ != step) {
        throw ConfigError(where + "another method rewinds to another epoch; expected the same one");
      }
      step_ = step;
    }
  }
}

void RewindPoint::pass(std::int64_t run_step, const VisitState& visit_network) {
  if (!step_ || *step_ != run_step) return;
  values_.clear();
  collect(values_, "", visit_network);
  std::erase_if(values_,
                [](const NamedArray& array) { return array.type != ElementType::float32; });
}

void RewindPoint::restore(const VisitState& visit_network) const {
  PARE_ENSURE(!values_.empty());
  adopt(values_, visit_network);
}

void RewindPoint::save(Checkpoint& checkpoint) const {
  for (const NamedArray& array : values_) {
    checkpoint.arrays.push_back(array);
    checkpoint.arrays.back().name = kRewindArrays + array.name;
  }
}

void RewindPoint::load(const Checkpoint& checkpoint) {
  values_ = part_of(checkpoint.arrays, kRewindArrays);
  for (NamedArray& array : values_) array.name.erase(0, kRewindArrays.size());
}

}  // namespace pare
