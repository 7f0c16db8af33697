// What `bench` prints: rows of ours against a peer, as a table for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pare::bench {

// ratio > 1: we are faster. `ours` and `peer` in images/s, for inference at batch 1 in
// microseconds.
struct Row {
  std::string net = {};
  std::int64_t batch = 0;
  int threads = 0;
  std::string mode = {};  // fp32, qat, int8
  double ours = 0, peer = 0;
  std::string peer_name = {};  // empty where no peer ran: then peer and ratio mean nothing
  double ratio = 0;            // of medians
  double least_ratio = 0;      // of the least times, which other work on the machine disturbs less
  double spread = 0;           // the wider one of both
};

std::string table(const std::vector<Row>& rows);
std::string json(const std::vector<Row>& rows);

}  // namespace pare::bench
