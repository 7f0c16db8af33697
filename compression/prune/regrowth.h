// When masks change that let weights come back: every `every` updates, until a fraction of the
// phase; then they stay.
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

// Of the config's regrow, or its defaults.
Regrow regrow_of(const PruneConfig& config);
// The first step of the phase in which the mask does not change any more.
std::int64_t regrow_end(const Regrow& regrow, const ScheduleSpan& span);
bool is_regrow_update(const Regrow& regrow, const MethodStep& step);
// No change comes after this one.
bool is_last_regrow_update(const Regrow& regrow, const MethodStep& step);

}  // namespace pare
