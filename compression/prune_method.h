// "kind": "prune": masks whose sparsity follows a schedule.
#pragma once

#include "compression/attach.h"
#include "compression/method.h"
#include "compression/prune/ranked.h"

namespace pare {

// Everything that scores below is pruned: a number, or in JSON {"mean_abs": factor}.
struct Threshold {
  double value = 0;
  bool of_mean = false;  // a factor on the mean absolute value of what is ranked

  void describe(config::Object& o);  // the object
  static config::Type<std::optional<Threshold>> type();
};

// What decides between equal scores.
enum class Ties { latent, index, random };

struct PruneConfig {
  std::string method = "magnitude";
  Schedule sparsity;
  std::optional<Threshold> threshold;  // in place of `sparsity`
  Ranked score = Ranked::latent;
  Ties ties = Ties::latent;
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
  bool at_target() const override {
    return config_.threshold ? updates_ > 0 : reached_ >= config_.sparsity.target();
  }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  std::int64_t select_by_sparsity(const std::vector<std::vector<float>>& scores,
                                  const MethodStep& step);
  std::int64_t select_by_threshold(const std::vector<std::vector<float>>& scores,
                                   const std::vector<Tensor>& weights);
  bool is_update(const MethodStep& step) const;
  void mask_moments(const MethodStep& step) const;

  PruneConfig config_;
  Composition composition_;
  std::vector<PruneTarget> targets_;
  std::int64_t updates_ = 0;  // of the masks, so far
  double reached_ = 0;        // the sparsity asked for last
};

}  // namespace pare
