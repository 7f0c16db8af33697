// How much memory a run will take, for `--plan`: one update of every phase and one batch of
// evaluation are done for real, on images of zeros, and step memory is read off
// (framework/tensor/storage.h). What the whole process takes is that of this one, which has loaded
// the data and trained, and the copies that a checkpoint is made of.
#pragma once

#include <cstdint>

#include "apps/lib/run_config.h"
#include "datasets/dataset.h"

namespace pare {

struct TrainingMemory {
  std::int64_t step = 0;    // bytes: activations, gradients, scratch, at the worst moment
  std::int64_t state = 0;   // bytes: weights, moments and averages, in the phase with most of them
  std::int64_t images = 0;  // bytes: the data set
  std::int64_t process = 0;  // bytes resident at the worst moment, program and libraries included;
                             // of the checkpoint's copies alone where the system does not tell
};
TrainingMemory training_memory(const RunConfig& run, const Dataset& dataset);

}  // namespace pare
