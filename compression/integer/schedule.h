// Which operations run as one step: a convolution and the max pooling that alone reads it, where
// the pooling can be done on accumulators.
//
// That is exact because requantization never decreases with the accumulator (multipliers are not
// negative, a channel's sign is part of its sum), so the largest accumulator of a window gives the
// largest code. It saves three of four requantizations and the memory of the tensor in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "compression/integer/operations.h"
#include "compression/integer/program.h"

namespace pare::integer {

// Operation `first`, and the max pooling `last` behind it; `last` == `first` where it stands alone.
struct Step {
  std::size_t first = 0;
  std::size_t last = 0;
  Inputs inputs;             // the tensors that `first` reads
  std::int32_t output = -1;  // the one that `last` writes
  bool fused() const { return last != first; }
};

using Schedule = std::vector<Step>;

// One step per operation, so that every tensor is written.
Schedule every_operation(const Program& program);

// As few steps as the engine's kernels allow. Tensors inside a step are never written.
Schedule fused_operations(const Program& program);

// Whether kernels run an operation and the max pooling that alone reads it as one step.
using FusionRule = std::function<bool(std::size_t operation, const MaxPool2d& pool)>;

// As few steps as other kernels allow (generated C).
Schedule fused_operations(const Program& program, const FusionRule& rule);

}  // namespace pare::integer
