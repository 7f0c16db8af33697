// Null orders: switches of a config that provably change nothing. With symmetric grids a mask and a
// quantizer commute; whether the order shows at all depends on what is ranked, whose range is
// taken, and how ties are broken. Asking such a question with weeks of runs has a known answer:
// none.
//
// What is claimed here is proven (each claim carries its reason, and holds for every update of the
// run), and compared on the first updates of the very run. It may miss; it never claims falsely.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/run_config.h"
#include "apps/lib/trainer.h"
#include "datasets/dataset.h"

namespace pare {

struct NullSwitch {
  std::string key;                  // "composition", "compression.q.weights.observe"
  std::vector<std::string> values;  // all give the same bits; the config's own is among them
  std::string why;
};

std::vector<NullSwitch> null_switches(const RunConfig& run);

// Trains a few updates of each phase with every claimed value, on a few images, and compares
// weights, masks and the integer model bit for bit. A difference is a fault of Pare: throws
// VerificationError that names the switch. False where so few updates cannot be trained, so that
// nothing was compared.
bool check_null_switches(const RunConfig& run, const Dataset& dataset,
                         const std::vector<NullSwitch>& claims);

// The run with one switch set to one of its values; any key that `--set` takes.
RunConfig with_switch(const RunConfig& run, const std::string& key, const std::string& value);

// A hash of everything that a trained run ends with: weights, masks, grids, moments, integer model.
std::string end_bits(Trainer& trainer, const RunConfig& run, const Dataset& dataset);

// "composition: mask_then_quantize and quantize_then_mask give the same bits, because ...".
std::string to_text(const NullSwitch& claim);

}  // namespace pare
