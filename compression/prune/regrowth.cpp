#include "compression/prune/regrowth.h"

#include <algorithm>
#include <cmath>

namespace pare {

Regrow regrow_of(const PruneConfig& config) { return config.regrow.value_or(Regrow()); }

std::int64_t regrow_end(const Regrow& regrow, const ScheduleSpan& span) {
  return std::max<std::int64_t>(1, std::llround(regrow.until * static_cast<double>(span.steps)));
}

bool is_regrow_update(const Regrow& regrow, const MethodStep& step) {
  return step.step % regrow.every == 0 && step.step < regrow_end(regrow, step.span);
}

bool is_last_regrow_update(const Regrow& regrow, const MethodStep& step) {
  return is_regrow_update(regrow, step) &&
         step.step + regrow.every >= regrow_end(regrow, step.span);
}

}  // namespace pare
