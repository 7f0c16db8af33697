#include "compression/shrink_method.h"

#include <fmt/format.h>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr const char* kNothingMasked =
    "shrink: no channel is removed, because none is masked as a whole when the phase begins; prune "
    "structures (granularity neuron, filter, channel or residual_block) in an earlier phase";

}  // namespace

void ShrinkMethod::attach(Network& network) {
  const Shrinkable found = find_shrinkable(network);
  for (const std::string& why : found.whole) surroundings_.say("shrink: " + why + "; they stay");
  // Asked also where nothing goes, as in the rehearsal: a network without integers is refused there.
  const std::string difference = surroundings_.shrunk_difference(network, found.kept);
  if (!difference.empty()) {
    throw ConfigError("the network without its masked channels is not the same in integers: " +
                      difference);
  }
  if (found.removed == 0) {
    if (found.whole.empty()) surroundings_.say(kNothingMasked);
    return;
  }
  const std::int64_t macs = network.macs(), parameters = network.parameter_count();
  network = without_units(network, found.kept);
  surroundings_.say(fmt::format(
      "shrink: {} channels removed, equal in integers; {} -> {} parameters, {} -> {} MACs",
      found.removed, parameters, network.parameter_count(), macs, network.macs()));
}

}  // namespace pare
