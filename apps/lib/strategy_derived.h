// Methods that a strategy makes of the one that is named. `o` is the run's object, for errors: a
// schedule that cannot be cut, a name that is taken.
#pragma once

#include <string>

#include "framework/config/forward.h"

namespace pare {

struct RunConfig;

// Adds <name>_1 and <name>_2, the rungs of a mask.
void derive_rungs(RunConfig& run, const std::string& name, const config::Object& o);

// Adds <name>_structures, which prunes filters (neurons, where nothing is a convolution),
// <name>_shrink, which removes them, and <name>_rest, which prunes single weights of what is left.
// A fraction f of all filters takes about 1 - (1 - f)^2 of the weights along, inputs of the next
// layer included; each of the two prunings leaves the same fraction of what it finds.
void derive_structures(RunConfig& run, const std::string& name, const config::Object& o);

}  // namespace pare
