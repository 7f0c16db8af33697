// "kind": "prune": masks whose sparsity follows a schedule.
#pragma once

#include "compression/attach.h"
#include "compression/method.h"

namespace pare {

struct PruneConfig {
  std::string method = "magnitude";
  Schedule sparsity;
  PruneScope scope = PruneScope::layer;
  double min_sparsity = 0, max_sparsity = 1;
  std::vector<std::string> include, exclude;
  bool mask_gradient = true, mask_moments = true;

  void describe(config::Object& o);
};

class PruneMethod final : public Method {
 public:
  PruneMethod(PruneConfig config, Composition composition)
      : config_(std::move(config)), composition_(composition) {}

  void attach(Network& network) override;
  void adopt(Network& network) override;
  void release(Network& network) override;
  void before_step(const MethodStep& step) override;
  bool at_target() const override { return reached_ >= config_.sparsity.target(); }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  void update(double sparsity, const MethodStep& step);
  void mask_moments(const MethodStep& step) const;

  PruneConfig config_;
  Composition composition_;
  std::vector<PruneTarget> targets_;
  std::int64_t updates_ = 0;  // of the masks, so far
  double reached_ = 0;        // the sparsity asked for last
};

}  // namespace pare
