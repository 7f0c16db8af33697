// What a run's phases may do, and in which order: methods are applied once and released only while
// they are on, a teacher is there before it teaches, what acts on a calibration has one, what
// shrinks has masks to go by, what rewinds a fresh start, and no method is given layers that
// another one has changed under it.
#pragma once

#include "apps/lib/run_config.h"

namespace pare {

// Fails at the key of `o` that makes no sense; for what has been read, before any data.
void check_course(const RunConfig& run, const config::Object& o);

}  // namespace pare
