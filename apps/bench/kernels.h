// `bench kernels`: single kernels of training against what the processor can do at all (the roof:
// multiply-adds from registers, copies of memory), and against another build.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/bench/rows.h"

namespace pare::bench {

struct KernelJob {
  std::string name;  // one of kernel_names()
  int threads = 1;
  double seconds = 0.5;      // per contender
  std::string against = {};  // a build folder, or empty
};

const std::vector<std::string>& kernel_names();

// Against the roof in GFLOP/s, or in GB/s for kernels that only pass over memory; then against the
// other build.
std::vector<Row> bench_kernel(const KernelJob& job,
                              const std::function<void(const std::string&)>& note);

// The worker's side (worker.h). Throws ConfigError for an unknown name.
void serve_kernel(const std::string& name, int threads);

}  // namespace pare::bench
