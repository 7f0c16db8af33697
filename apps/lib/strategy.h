// Strategy: an order of compressing as one value. It expands into phases on a common timeline
//
//   dense | stage | stage | recover          (epochs.dense, epochs.stage twice, epochs.recover)
//
// and kinds differ in what is applied where: prune_then_quantize prunes in the first stage and
// quantizes in the second. With the budget `matched` every kind has all four parts, so the learning
// rate of every update of a run is the same whatever the kind; a stage that is cut into two phases
// keeps one optimizer and one course of its learning rate ("continue"). `as_is` leaves out the
// parts in which nothing is applied.
//
// Where a kind prunes in two rungs (alternating, prune_quantize_prune), two methods are derived
// from the one that is named: <name>_1 up to the sparsity that leaves the geometric mean of what is
// there and what is wanted, and <name>_2 from there to the target. The second one ranks all weights
// anew. structured_first derives methods for filters (strategy_derived.h).
//
// With `distill` the network learns from a teacher besides: in the first stage, in the recovery, or
// from the first stage to the end. A teacher that is the phase "dense" is the network as the
// timeline's first part leaves it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/forward.h"
#include "optim/table.h"

namespace pare {

struct RunConfig;

struct StrategyConfig {
  enum class Budget { matched, as_is };
  enum class When { first, throughout, last };
  struct Epochs {
    double dense = 10, stage = 5, recover = 3;
    void describe(config::Object& o);
  };
  // Merged over the top-level optimizer.
  struct Optimizers {
    OptimizerConfig dense = {}, stage = {}, recover = {};
    void describe(config::Object& o);
  };

  std::string kind;      // of strategy_kinds()
  std::string prune;     // a name from compression; "": the only one of kind prune
  std::string quantize;  // ... of kind quantize
  std::string distill;   // ... of kind distill; "": none
  When distill_when = When::first;
  Epochs epochs;
  Optimizers optimizer;
  Budget budget = Budget::matched;

  void describe(config::Object& o);

  // With the run's own optimizer to merge over. Nothing of it is written: what is printed are the
  // phases.
  static config::Type<std::optional<StrategyConfig>> type(const OptimizerConfig& optimizer);
};

std::vector<std::string> strategy_kinds();

// Replaces run.phases by those of run.strategy, and adds derived methods to run.compression. `o` is
// the run's object, for errors: a name that is missing, ambiguous or of another kind, a schedule
// that cannot be cut into rungs.
void expand_strategy(RunConfig& run, const config::Object& o);

}  // namespace pare
