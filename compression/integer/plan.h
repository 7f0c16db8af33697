// Where each tensor lives while an image runs: one block of memory, planned from lifetimes.
//
// A tensor is alive from the operation that writes it to the last one that reads it (the program's
// output: to the end). Reshape shares its input's memory; Clamp overwrites it where nothing reads
// it later. The remaining buffers are placed greedily, the largest first, each at the lowest offset
// that no buffer alive at the same time covers (Pisarchyk and Lee 2020, arXiv:2001.03288, "greedy
// by size").
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/program.h"

namespace pare::integer {

struct Plan {
  std::vector<std::int64_t> offsets;  // per tensor, in codes
  std::int64_t bytes = 0;
};

// For a validated program. Deterministic.
Plan plan_arena(const Program& program);

}  // namespace pare::integer
