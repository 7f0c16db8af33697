// Other engines, loaded when the program runs: nothing of them is needed to build, and one that is
// missing is a message and no row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/bench/timing.h"

namespace pare::bench {

// One of our networks, at one batch size, on some threads.
struct PeerJob {
  std::string net;
  std::string precision;  // int8, fp32
  std::int64_t batch;
  std::int64_t values;  // of one image
  int threads;
};

// The folders of $PARE_PEERS (separated by ':').
std::vector<std::string> peer_folders();

// Where peers and their models are looked for: in these folders and everything in them. "" where
// there is no file whose name starts with `prefix`.
std::string find_peer_file(const std::string& prefix);

// The path of NET_PRECISION.onnx in $PARE_PEERS. Throws FailedError.
std::string onnx_model(const PeerJob& job);

// Each throws FailedError with the reason where the engine is missing or refuses the model. The
// call runs the model once on inputs of its own.
Contender onnxruntime_peer(const PeerJob& job);
Contender openvino_peer(const PeerJob& job);
Contender litert_peer(const PeerJob& job);

// All peers that run network `net` in both precisions, "onnxruntime int8", ...; `note` gets a
// message for each that does not.
std::vector<Contender> peers(const std::string& net, std::int64_t batch, std::int64_t values,
                             int threads, const std::function<void(const std::string&)>& note);

}  // namespace pare::bench
