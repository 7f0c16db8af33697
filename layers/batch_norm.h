// Batch normalisation (Ioffe & Szegedy 2015, "Batch normalization", algorithms 1 and 2) over the
// last axis. It knows nothing of being absorbed into an integer multiplier; lowering reads the
// accessors.
#pragma once

#include <memory>
#include <set>

#include "framework/config/forward.h"
#include "framework/ops/rectifier.h"
#include "layers/fusion.h"
#include "layers/module.h"

namespace pare {

struct BatchNormOptions {
  double momentum = 0.9;  // running = momentum * running + (1 - momentum) * batch
  double epsilon = 1e-5;  // added to the variance

  void describe(config::Object& o);
};

// x [..., C] -> the same shape: y = scale * (x - mean) / sqrt(variance + epsilon) + shift.
//
// Training uses the batch's mean and *biased* variance (divided by n), and the running variance
// averages that same biased one: what evaluation uses is then what training saw, and what lowering
// absorbs. (PyTorch's running variance is the unbiased one.)
class BatchNorm final : public Module, public FusesWithReader {
 public:
  using Options = BatchNormOptions;
  explicit BatchNorm(const BatchNormOptions& options = {}) : options_(options) {}

  std::string_view kind() const override { return "batch_norm"; }
  Shape build(std::span<const Shape> inputs) override;
  // scale 1, shift 0, mean 0, variance 1.
  void initialize(std::uint64_t seed) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  // A relu or relu6.
  bool fuses_with(const Module& reader) const override;
  Variable forward_with(const Module& reader, std::span<const Variable> inputs,
                        const Pass& pass) override;
  void visit_parameters(const ParameterVisitor& visit) override;
  void visit_buffers(const std::string& prefix, StateVisitor& visitor) override;
  nlohmann::ordered_json to_json() const override;

  // Frozen: training uses the running statistics too and leaves them as they are. They are frozen
  // until the last of those who froze them lets go; `who` tells them apart and is only compared.
  // Not part of the state: whoever freezes knows it.
  void freeze_statistics(bool frozen, const void* who = nullptr);
  bool statistics_frozen() const { return !freezers_.empty(); }

  Parameter& scale() { return *scale_; }
  const Parameter& scale() const { return *scale_; }
  Parameter& shift() { return *shift_; }
  const Parameter& shift() const { return *shift_; }
  const Tensor& mean() const { return mean_; }          // running, [C]
  const Tensor& variance() const { return variance_; }  // running, [C]
  double epsilon() const { return options_.epsilon; }

 private:
  // One of two ops: with the batch's statistics, or with the running ones.
  Variable normalise(const Variable& x, const Pass& pass, Rectifier behind);

  BatchNormOptions options_;
  std::set<const void*> freezers_;
  std::unique_ptr<Parameter> scale_, shift_;
  Tensor mean_, variance_;
};

}  // namespace pare
