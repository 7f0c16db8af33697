// Where each tensor lives while an image runs: one block of memory, planned from lifetimes.
//
// A tensor is alive from the step that writes it to the last one that reads it (the program's
// output: to the end); one inside a step needs no memory. Reshape shares its input's memory; Clamp
// overwrites it where nothing reads it later. The remaining buffers are placed greedily, the
// largest first, each at the lowest offset that no buffer alive at the same time covers (Pisarchyk
// and Lee 2020, arXiv:2001.03288, "greedy by size").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compression/integer/program.h"
#include "compression/integer/schedule.h"

namespace pare::integer {

struct Plan {
  std::vector<std::int64_t> offsets;  // per tensor, in codes; -1 where it is never written
  std::vector<std::int64_t> scratch;  // per step, where its working memory lies; -1: it has none
  std::vector<std::int64_t> alive;    // per step: bytes of all that is alive while it runs
  std::int64_t bytes = 0;             // at least the largest of them
};

// For a validated program. Deterministic. `scratch`: bytes that each step needs while it runs, or
// empty; every place is a multiple of `alignment`.
Plan plan_arena(const Program& program, const Schedule& schedule,
                std::span<const std::int64_t> scratch = {}, std::int64_t alignment = 1);
Plan plan_arena(const Program& program);  // of every_operation: each tensor has its place

}  // namespace pare::integer
