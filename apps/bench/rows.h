// What `bench` prints: rows of ours against a peer, as a table for people and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench/layers.h"
#include "apps/bench/timing.h"

namespace pare::bench {

// One call of a kernel, and what it does by kernel_table.h.
struct Call {
  double us = 0, flops = 0, bytes = 0;
};

// ratio > 1: we are faster.
struct Row {
  std::string net = {};  // or the name of a kernel
  std::int64_t batch = 0;
  int threads = 0;
  std::string mode = {};  // fp32, qat, int8
  double ours = 0, peer = 0;
  std::string peer_name = {};  // empty where no peer ran: then peer and ratio mean nothing
  double ratio = 0;            // of medians
  double least_ratio = 0;      // of the least times, which other work on the machine disturbs less
  double spread = 0;           // the wider one of both
  double own_spread = 0;       // of `ours` alone
  std::string unit = "/s";     // of `ours` and `peer`: images/s, us, GFLOP/s, GB/s
  std::optional<Call> call = {};  // of a kernel
  std::string details = {};       // JSON: what the peer says of itself (worker.h), or empty
};

// The row beside a peer, whose figure is `peer`.
Row against(Row row, const std::string& peer_name, double peer, const Timing& ours,
            const Timing& theirs);

std::string table(const std::vector<Row>& rows);
// {"rows": [...]}, and where there are any, "networks": [{"net", "images", "layers": [...]}]
// (README.md). What was not measured is null or, in layers, absent.
std::string json(const std::vector<Row>& rows, const std::vector<NetLayers>& nets = {});

}  // namespace pare::bench
