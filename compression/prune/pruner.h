// Pruner: what decides which groups of weights are masked.
//
// A pruner gives every group of a target a score; select() masks the lowest ones, as many as the
// schedule asks for. Pruners may watch training before they score (gradients of the effective
// weights, activations), keep state, and change masks in their own way (regrowth, splicing, soft
// pruning). A new pruner is one file with one class and one row of pruner_table(); generic tests
// run over every row and hold it to its traits.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compression/method.h"
#include "compression/prune/select.h"
#include "compression/prune/target.h"
#include "framework/state.h"

namespace pare {

// What a pruner has to be shown of training.
enum class Sees {
  nothing,              // masks change before the step
  gradients,            // of every step of its schedule; masks change after the step
  gradients_at_update,  // only of steps in which masks change; the first time before the step
  outputs,              // of the nodes of PruneTarget::outputs, in every step; likewise
};

struct PrunerTraits {
  Sees sees = Sees::nothing;
  bool ranks_weights = false;  // the config's `score` and `norm` choose what is ranked
  bool comes_back = false;     // a pruned weight may return
  bool mask_gradient = true, mask_moments = true;    // where the config does not say
  std::vector<PruneGranularity> granularities = {};  // empty: all
};

// One change of the masks.
struct PruneUpdate {
  const PruneConfig& config;
  std::span<PruneTarget> targets;
  const MethodStep& step;
  std::int64_t count = 0;  // changes before this one, for random draws
  double sparsity = 0;     // asked for now
};

class Pruner {
 public:
  virtual ~Pruner() = default;

  // Once, when the masks are in place: allocates what it keeps.
  virtual void start(std::span<const PruneTarget>) {}

  // After backward() of a step, for a row that sees gradients: Parameter::value_grad() is there.
  virtual void see_gradients(std::span<const PruneTarget>, const MethodStep&) {}
  // In the forward pass of a step, for a row that sees outputs: `value` of the node outputs[o] of
  // target t, [batch, ..., channels].
  virtual void see_output(std::size_t /*t*/, const PruneOutput&, const Tensor& /*value*/) {}

  // Whether masks change in this step of the phase that applies it.
  virtual bool is_update(const PruneConfig& config, const MethodStep& step) const;
  // The sparsity that update brings.
  virtual double sparsity(const PruneConfig& config, const MethodStep& step) const;
  // Of every group, a larger one matters more. `t`: the target's index.
  virtual std::vector<float> score(const PruneUpdate& update, std::size_t t) const = 0;
  // Changes PruneTarget::keep, and says which sparsity is reached for good (0 for a threshold), or
  // kNotForGood. By default: masks the lowest scores, down to the sparsity or threshold asked for.
  static constexpr double kNotForGood = -1;
  virtual double change(const PruneUpdate& update);

  // "<prefix>/<target>/..."
  virtual void visit_state(const std::string& /*prefix*/, StateVisitor&) {}
};

struct PrunerRow {
  std::string name;
  std::string description;
  PrunerTraits traits;
  std::unique_ptr<Pruner> (*make)();
};
std::span<const PrunerRow> pruner_table();
const PrunerRow& pruner_row(const std::string& name);

// One value per group of every target, kept in checkpoints: what pruners accumulate.
class GroupState {
 public:
  explicit GroupState(std::string name) : name_(std::move(name)) {}
  void start(std::span<const PruneTarget> targets);
  // Of target t; writable between two steps.
  std::span<float> values(std::size_t t);
  std::span<const float> values(std::size_t t) const { return tensors_[t].values(); }
  void clear();
  void visit_state(const std::string& prefix, StateVisitor& visitor);

 private:
  std::string name_;
  std::vector<std::string> targets_;
  std::vector<Tensor> tensors_;
};

}  // namespace pare
