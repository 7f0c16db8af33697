// "kind": "prune": masks that change as a pruner (prune/pruner.h) and its config say.
#pragma once

#include "compression/attach.h"
#include "compression/method.h"
#include "compression/prune/pruner.h"

namespace pare {

class PruneMethod final : public Method {
 public:
  PruneMethod(PruneConfig config, Composition composition);

  void attach(Network& network) override;
  void adopt(Network& network) override;
  void release(Network& network) override;
  void before_step(const MethodStep& step) override;
  bool wants_outputs() const override { return watching_ && traits().sees == Sees::outputs; }
  void see_output(const std::string& node, const Tensor& value) override;
  void after_backward(const MethodStep& step) override;
  void after_step(const MethodStep& step) override;
  bool at_target() const override;
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

  const std::vector<PruneTarget>& targets() const { return targets_; }

 private:
  const PrunerTraits& traits() const { return row_.traits; }
  void start(Network& network);
  bool is_update(const MethodStep& step) const;
  bool changes_before_step() const;
  bool sees_gradients() const;
  void change(const MethodStep& step);
  void mask_moments(const MethodStep& step) const;
  void keep_value_gradients(bool keep) const;

  PruneConfig config_;
  Composition composition_;
  const PrunerRow& row_;
  std::unique_ptr<Pruner> pruner_;
  std::vector<PruneTarget> targets_;
  bool watching_ = false;     // the step at hand is shown to the pruner
  std::int64_t updates_ = 0;  // changes of the masks, so far
  double reached_ = 0;        // the sparsity that is there for good
};

}  // namespace pare
