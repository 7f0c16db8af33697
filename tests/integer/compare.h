// Kernels of every instruction set, held against the reference loops.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "compression/integer/engine.h"
#include "compression/integer/kernels/kernel_set.h"
#include "tests/integer/random_layer.h"

namespace pare::integer {

// How many are drawn: $PARE_LAYERS.
inline std::uint64_t layers() {
  const char* text = std::getenv("PARE_LAYERS");
  return text == nullptr ? 1500 : std::strtoull(text, nullptr, 10);
}

// Steps whose kernel ends so, over all sets.
inline int compare_with_reference(const Program& program, std::uint64_t seed,
                                  const std::string& ending) {
  const std::vector<std::int8_t> codes =
      extreme_codes(program, 1 + static_cast<std::int64_t>(seed % 5), seed);
  const Engine reference(program, {.reference = true});
  std::vector<std::int8_t> expected(codes.size() / reference.input_size() *
                                    reference.output_size());
  reference.run(codes, expected);
  int steps = 0;
  for (const KernelSet* set : usable_kernel_sets()) {
    const Engine fast(program, {.kernels = set->name});
    std::vector<std::int8_t> got(expected.size(), 99);
    fast.run(codes, got);
    INFO("seed ", seed, ", kernels ", std::string(set->name));
    REQUIRE(got == expected);
    for (const std::string& step : fast.steps()) steps += step.ends_with(ending);
  }
  return steps;
}

}  // namespace pare::integer
