// PruneTarget: what is pruned, cut into groups of weights that become zero together.
//
// With single weights, N:M and blocks a target is one weight tensor. With structures it is a space
// of channels (channels.h), and a group is everything that makes one channel: the filter's weights,
// its bias, scale and shift of a batch norm that follows, the depthwise filter behind it; filters
// whose outputs meet in an add are one group. A channel whose group is masked is exactly zero.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/prune/prune_config.h"
#include "layers/network.h"

namespace pare {

// One parameter of a target.
struct PrunePart {
  Parameter* parameter;
  Mask* mask = nullptr;
  std::vector<std::int32_t> groups;  // of each element; empty: element i is group i
  bool scored = true;                // weights; biases and batch norm only go with them
  bool in_effect = true;             // counts in what the group does to the loss (effect.h)

  std::int64_t group_of(std::int64_t element) const {
    return groups.empty() ? element : groups[static_cast<std::size_t>(element)];
  }
};

// A node whose output shows the channels of a target after an activation.
struct PruneOutput {
  std::string node;
  std::vector<std::int32_t> groups;  // of each channel
};

struct PruneTarget {
  std::string name;  // the path of its first weight
  std::vector<PrunePart> parts;
  std::vector<PrunePart> readers;  // weights that read the channels; may be parts of other targets
  std::int64_t groups = 0;
  std::vector<std::uint8_t> keep;  // of each group: 1 kept, 0 pruned; what the masks say
  Pattern window{.n = 0, .m = 0};  // m > 0: at most n of every m groups are kept
  std::vector<PruneOutput> outputs;

  std::int64_t pruned() const;
};

// The targets of a config in a network, in its order, without masks. Throws ConfigError: a pattern
// that matches nothing, a block that does not divide, no structure to prune, a structure of which
// only a part is included.
std::vector<PruneTarget> find_targets(const Network& network, const PruneConfig& config);

// Puts masks into the chains of all parts and readers. Throws ConfigError where one has a mask
// already.
void attach_masks(std::vector<PruneTarget>& targets, Composition composition, bool mask_gradient);
// Takes hold of the masks of a network that was loaded with them, and reads `keep` from them.
void adopt_masks(std::vector<PruneTarget>& targets);
void detach_masks(std::vector<PruneTarget>& targets);
// Writes `keep` of all targets into the masks: an element stays where every group that it belongs
// to does.
void store_masks(std::span<const PruneTarget> targets);
// Calls visit(parameter, mask) once for every masked parameter.
using MaskVisitor = std::function<void(Parameter&, Mask&)>;
void visit_masks(std::span<const PruneTarget> targets, const MaskVisitor& visit);

// One tensor for every scored part of a target, in its shape; undefined where a part is not scored,
// or has no such value.
using ElementValues = std::vector<Tensor>;
ElementValues latent_values(const PruneTarget& target);
ElementValues ranked_values(const PruneTarget& target, Ranked ranked);
// d loss / d effective weight, of the last backward().
ElementValues value_gradients(const PruneTarget& target);

// The importance of every group from the values of its elements.
std::vector<float> group_norms(const PruneTarget& target, const ElementValues& values,
                               PruneNorm norm);

// Multiplies the latent values of the marked groups, in all parts; 0 gives +0 whatever they were.
// No graph may hold them.
void scale_latents(PruneTarget& target, const std::vector<std::uint8_t>& marked, float factor);

}  // namespace pare
