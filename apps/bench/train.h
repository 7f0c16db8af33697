// `bench train`: whole training steps of the five networks, in turns with PyTorch and with another
// build of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/bench/rows.h"

namespace pare::bench {

struct TrainJob {
  std::string net;
  std::int64_t batch = 64;
  int threads = 1;
  bool fp32 = true, qat = true;  // which of the two
  double seconds = 2;            // per contender
  std::string against = {};      // a build folder, or empty
  // Of the worker's side.
  std::int64_t width = 1;  // times the filters and units of every hidden layer
  bool wall = false;       // wall time with one thread too (scaling.h)
};

inline constexpr const char* kOwnFloat = "our own fp32";  // as a peer

// One row per mode and peer, one without a peer where none was found; and where both modes are
// measured one of qat against our own fp32. Messages go to `note`.
std::vector<Row> bench_train(const TrainJob& job,
                             const std::function<void(const std::string&)>& note);

// The worker's side (worker.h): trains in one mode, qat where it is set, until its input ends. Its
// details hold the `flops` of an update.
void serve_training(const TrainJob& job);

}  // namespace pare::bench
