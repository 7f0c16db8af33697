// The `loss` of a config: which one, its keys, and its value for a batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "framework/autograd/variable.h"
#include "framework/config/forward.h"

namespace pare {

struct LossConfig {
  std::string kind = "cross_entropy";
  double label_smoothing = 0;  // cross_entropy

  void describe(config::Object& o);
};

// logits [batch, classes], one label per row -> [1].
Variable loss_of(const LossConfig& config, const Variable& logits,
                 std::span<const std::int32_t> labels);

// Rows of [batch, classes] whose largest value (the first among equals) stands at the label.
std::int64_t count_correct(const Tensor& logits, std::span<const std::int32_t> labels);

}  // namespace pare
