// `bench infer`: the integer engine on the five networks, in turns with other engines.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/bench/rows.h"

namespace pare::bench {

struct InferJob {
  std::string net;
  std::int64_t batch = 1;
  int threads = 1;
  std::string kernels;  // an instruction set; empty: the best
  double seconds = 1;   // per contender
};

// One row per peer, the fastest one first; one without a peer where none was found. Messages go to
// `note`.
std::vector<Row> bench_infer(const InferJob& job,
                             const std::function<void(const std::string&)>& note);

}  // namespace pare::bench
