// result.json: what came out of a run, as fractions and counts.
//
// macs: multiply-accumulates of one image, taps in the padding included. effective_macs: those
// whose integer weight is not zero. bops: sum over layers of effective multiply-accumulates * bits
// of a weight * bits of an input code. bytes.float32: 4 per trained value of the dense network.
// sparsity: integer weights that are exactly zero, of all of them in conv2d, depthwise_conv2d and
// dense nodes; sparsity_by_mask: masked ones, of the same. sqnr, activation_sqnr: in dB, of the
// weights and of what leaves the layer (layer_statistics.h). range, activation_range: the weights'
// smallest and largest value, the ends of the activations' grid. What only an integer form has is
// null where there is none. auto: per auto method what its search found (auto/search.h) and the
// outcome: bytes, macs, validation points lost, whether the budget is met.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/finish.h"
#include "apps/lib/layer_statistics.h"
#include "apps/lib/trainer.h"
#include "framework/config/value.h"

namespace pare {

// One node with weights, in integers.
struct LayerResult {
  std::string name;
  std::string kind;
  std::int64_t weights = 0;
  std::int64_t zeros = 0;
  int weight_bits = 0;
  int input_bits = 0;
  std::uint64_t bytes = 0;  // of the codes in model.pare
  std::string coding;       // packed, bitmap or arithmetic
  std::int64_t macs = 0;
  std::int64_t effective_macs = 0;
  double latency_us = 0;
  std::int64_t bops() const { return effective_macs * weight_bits * input_bits; }
};

// In the order of the network.
std::vector<LayerResult> layer_results(const Network& network, const IntegerForm& form);

// The whole document. `layers`: of the network as it ends. `seconds`: wall clock of the run,
// verification included, over all its processes. `whole`: the integer program of the network before
// anything was shrunk, where that was.
config::Json result_json(const RunConfig& run, const Dataset& dataset, Trainer& trainer,
                         const Outcome& outcome, const std::vector<LayerStatistics>& layers,
                         double seconds, const integer::Program* whole = nullptr);

}  // namespace pare
