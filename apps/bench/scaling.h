// `bench train --scaling`: how a network's training speed grows with batch, width and threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pare::bench {

struct ScalingJob {
  std::string net;
  std::int64_t batch = 64;  // of the wider networks
  int threads = 2;          // 1, 2, 4, ... up to so many
  bool qat = false;
  double seconds = 1;  // per measurement
};

struct ScalingRow {
  std::string net, mode;
  std::int64_t batch = 0, width = 1;
  int threads = 1;
  double updates = 0;     // per second
  double gflops = 0;      // GFLOP/s of products (Training::flops)
  double efficiency = 0;  // speed over that of one thread, per thread
  double spread = 0;
};

// Batches of 16, 32, ..., 256 at the network's own width, then twice and four times the filters and
// units; numbers of threads take turns. All in wall time, so the machine must be quiet.
std::vector<ScalingRow> bench_scaling(const ScalingJob& job);

std::string scaling_table(const std::vector<ScalingRow>& rows);
// {"rows": [{"net", "mode", "batch", "width", "threads", "updates", "images", "gflops",
// "efficiency", "spread"}, ...]}
std::string scaling_json(const std::vector<ScalingRow>& rows);

}  // namespace pare::bench
