// `bench sparse`: what zeros save in the integer engine. Single layers with zeros of several
// structures beside the same layer without, and the five networks with half of their filters beside
// all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/bench/rows.h"

namespace pare::bench {

struct SparseJob {
  std::int64_t batch = 1;
  int threads = 1;
  double seconds = 0.3;  // per contender
};

// One row per layer, structure and sparsity; `peer` is the layer without zeros. The ratio is above 1
// where zeros pay.
std::vector<Row> bench_sparse_layers(const SparseJob& job);

// One row per network: half of the filters and units of every hidden layer against all, named with
// the ratio of multiplications.
std::vector<Row> bench_half_networks(const SparseJob& job);

}  // namespace pare::bench
