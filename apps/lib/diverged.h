// Finding the place where numbers went bad: the first node whose output, or the last parameter
// whose gradient, holds a NaN or an infinity. Called before an update would spread it over the
// weights.
#pragma once

#include <string>

#include "apps/lib/snapshot.h"
#include "datasets/batches.h"
#include "layers/network.h"

namespace pare {

bool all_finite(const Tensor& tensor);

// Runs the batch forward once more, as training does, and says where it goes wrong first.
std::string first_bad_output(Network& network, const Batch& batch, std::uint64_t seed,
                             std::uint64_t step);

// After backward(): the path of the parameter with a bad gradient that lies nearest to the output,
// where backward met it first; "" where all are finite.
std::string first_bad_gradient(const Network& network);

// The name of the first array of a checkpoint that holds a NaN or an infinity, or "".
std::string first_bad_array(const Snapshot& arrays);

}  // namespace pare
