// Snapshot: the state that visit_state() functions name, as named arrays, and back.
//
// The two visitors of framework/state.h: one collects, one restores and insists that names, types
// and sizes are exactly those of the object at hand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/io/hdf5_image.h"
#include "framework/state.h"

namespace pare {

using Snapshot = std::vector<NamedArray>;
using VisitState = std::function<void(StateVisitor&)>;

// `prefix` ("network/") stands in front of every name.
void collect(Snapshot& snapshot, const std::string& prefix, const VisitState& visit);

// The arrays whose names begin so.
Snapshot part_of(const Snapshot& snapshot, const std::string& prefix);

// Gives what `visit` names the values that the snapshot has under the same name, type and size; the
// rest stays as it is.
void adopt(const Snapshot& snapshot, const VisitState& visit);

// Restores all that `visit` names. Throws DataError, which begins with `what`, where the snapshot
// lacks something, has another size of it, or holds more. Only ranges and histograms of observers
// ("<path>/range", "/histogram/counts") and levels of quantizers ("/scales", "/borders",
// "/members") may have another size: empty before the first observation.
void restore(const Snapshot& snapshot, const std::string& prefix, const VisitState& visit,
             const std::string& what);

}  // namespace pare
