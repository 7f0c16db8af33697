// From the trained network to verified integers: the end of a run, and its rehearsal before
// training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/run_config.h"
#include "compression/integer/engine.h"
#include "compression/integer/program.h"
#include "compression/lower/final.h"
#include "compression/lower/verify.h"
#include "datasets/dataset.h"
#include "layers/network.h"

namespace pare {

// Images verified so far; 0 before every batch of the measurements that come first. May throw to
// stop.
using VerifyProgress = std::function<void(std::int64_t done)>;

// The integer form of a network.
struct IntegerForm {
  bool post_training = false;  // grids were added after training
  FinalNetwork final;
  integer::Program program;
  std::vector<std::byte> bytes;    // of model.pare
  Verification verification = {};  // on all test images
  double accuracy = 0;             // the engine's, on the test images
  double latency_us = 0;           // one image, one thread, median
  std::map<std::string, double> step_us = {};  // of it, by the last node of a layer's group
};

struct Outcome {
  double fake_quant = 0;  // accuracy of the ordinary float32 forward on the test images
  std::optional<IntegerForm> integer;
};

// A fresh network with everything attached that the run ends with.
struct Rehearsal {
  Network network;
  std::optional<integer::Program> program;  // none where the run wants no integer form
};

// Tries what the end of the run will do on a fresh network: attaches and releases as the phases
// say, calibrates with one batch and lowers. Throws ConfigError with what would be refused.
Rehearsal rehearse(const RunConfig& run, const Dataset& dataset);

// Why the network, as training left it, has no integer form, or "". What does not depend on its
// numbers was refused by rehearse() already; networks without grids are none of this.
std::string integer_fault(Network& network, const RunConfig& run);

// The integer form of a trained network, with the grids that are missing; nothing of it is measured
// yet. Throws ConfigError that names the node where it has none.
IntegerForm lower_network(Network& network, const RunConfig& run, const Dataset& dataset);

// Images as codes of the input's grid.
std::vector<std::int8_t> codes_of(const integer::Engine& engine, const FinalNetwork& final,
                                  const Images& images);

// Adds the grids that are missing, measures, lowers, encodes, and runs what was encoded on every
// test image. A difference is left in the verification for the caller.
Outcome finish(Network& network, const RunConfig& run, const Dataset& dataset,
               const VerifyProgress& progress);

// What the engine is given for these images.
std::vector<std::int8_t> codes_of(const integer::Engine& engine, const FinalNetwork& final,
                                  const Images& images);

// One image of the input's zero point, one thread, median.
double latency_us(const integer::Program& program);

// Throws VerificationError where a code differs.
void require_verified(const Verification& verification);

}  // namespace pare
