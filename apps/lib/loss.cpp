#include "apps/lib/loss.h"

#include <algorithm>

#include "framework/config/object.h"
#include "framework/ops/ops.h"

namespace pare {

void LossConfig::describe(config::Object& o) {
  const auto cross_entropy = [this](config::Object& in) {
    in.real("label_smoothing", label_smoothing, {.min = 0, .below = 1},
            "share of the target that is spread over all classes");
  };
  o.alternatives("kind", kind, {{"cross_entropy", cross_entropy}, {"mse", [](config::Object&) {}}},
                 "what training makes small");
}

Variable loss_of(const LossConfig& config, const Variable& logits,
                 std::span<const std::int32_t> labels) {
  if (config.kind == "mse") return mean_squared_error(logits, labels);
  return softmax_cross_entropy(logits, labels, static_cast<float>(config.label_smoothing));
}

std::int64_t count_correct(const Tensor& logits, std::span<const std::int32_t> labels) {
  const std::int64_t classes = logits.shape()[-1];
  std::int64_t correct = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const float* scores = logits.data() + static_cast<std::int64_t>(row) * classes;
    correct += std::max_element(scores, scores + classes) - scores == labels[row];
  }
  return correct;
}

}  // namespace pare
