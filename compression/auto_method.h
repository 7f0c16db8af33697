// "kind": "auto": bits and sparsity per layer, found by a search, under a budget.
//
// What the search (apps/lib/auto) decides is a list of choices, one per layer with weights; this
// method is what they amount to: one quantize method whose weights have the chosen bits, and one
// prune method per pruned layer, whose sparsity grows over the first part of the phase.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compression/prune_method.h"
#include "compression/quantize_method.h"

namespace pare {

// At least one of the three; bytes and macs exclude each other.
struct BudgetConfig {
  std::optional<std::int64_t> bytes;  // of model.pare
  std::optional<std::int64_t> macs;   // of one image, those whose weight is not zero
  std::optional<double> loss_points;  // percent of the validation images
  void describe(config::Object& o);
};

// What a layer's compression is expected to add to the loss.
enum class Sensitivity {
  loss,     // measured, the layer alone compressed
  hessian,  // half the mean of the Hessian's diagonal times the squared change of the weights
};

// What every layer may get.
struct SearchConfig {
  std::vector<int> bits = {2, 3, 4, 8};
  std::vector<double> sparsity = {0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99};
  Sensitivity sensitivity = Sensitivity::loss;
  double epochs = 1;  // of each trial
  void describe(config::Object& o);
};

struct AutoConfig {
  BudgetConfig budget;
  SearchConfig search;
  void describe(config::Object& o);
};

struct LayerChoice {
  std::string node;
  int bits = 8;
  double sparsity = 0;
};

class AutoMethod final : public Method {
 public:
  AutoMethod(const AutoConfig& config, Composition composition);

  // In place of the first choice, the fewest bits everywhere. Before attach() and adopt().
  void decide(const std::vector<LayerChoice>& choices);

  void attach(Network& network) override;
  void adopt(Network& network) override;
  void release(Network& network) override;
  void before_step(const MethodStep& step) override { tell(step, &Method::before_step); }
  void after_backward(const MethodStep& step) override { tell(step, &Method::after_backward); }
  void after_step(const MethodStep& step) override { tell(step, &Method::after_step); }
  void end_phase(const MethodStep& step) override { tell(step, &Method::end_phase); }
  bool at_target() const override;
  std::int64_t calibration_images() const override { return 0; }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  void tell(const MethodStep& step, void (Method::*what)(const MethodStep&));

  Composition composition_;
  int fewest_bits_;
  std::vector<LayerChoice> choices_;
  std::vector<std::unique_ptr<Method>> parts_;
};

}  // namespace pare
