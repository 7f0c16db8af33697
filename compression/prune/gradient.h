// gradient: a group matters as much as the mean absolute gradient of its effective weights since
// the last change of the masks (document 001's importance by gradient magnitude).
#pragma once

#include "compression/prune/pruner.h"

namespace pare {

PrunerRow gradient_row();

// Scores that are summed up over steps and kept in checkpoints.
class AccumulatedScore : public Pruner {
 public:
  void start(std::span<const PruneTarget> targets) override { sums_.start(targets); }
  void see_gradients(std::span<const PruneTarget> targets, const MethodStep& step) final;
  std::vector<float> score(const PruneUpdate& update, std::size_t t) const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    sums_.visit_state(prefix, visitor);
  }

 protected:
  // What this step adds for every group of the target.
  virtual std::vector<float> added(const PruneTarget& target, const MethodStep& step) const = 0;
  void clear() { sums_.clear(); }

 private:
  GroupState sums_{"score"};
};

}  // namespace pare
