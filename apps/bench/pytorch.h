// PyTorch as a peer of `bench train`: benchmarks/peers/train_pytorch.py in every Python that has
// it.
#pragma once

#include <string>
#include <vector>

#include "apps/bench/worker.h"

namespace pare::bench {

// Pythons that may have PyTorch: the environments in the folders of $PARE_PEERS, or those folders
// themselves, in the order of their names, and the system's.
std::vector<std::string> pythons();

// As benchmarks/peers/README.md says it is fastest: one pool of threads, vectors as wide as the
// processor's, memory that stays in the process. `keys` are those of the script.
WorkerCommand pytorch(const std::string& python, const std::vector<std::string>& keys);

}  // namespace pare::bench
