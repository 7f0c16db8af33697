// The formulas of document 000, sections 4.1 and 4.3, exactly as they are printed there: min-max
// codes, a threshold, and the three orders of the two. Their codes have no zero that pruning could
// rely on; what Pare computes instead is in network.h. Kept to learn from, used by nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pare::example {

// One tensor of the 2-2-1 network, with the codes that the document prints for it. Values are in
// tenths (0.2 is 2), so that ties of the rounding are exact; the formulas do not mind.
struct Tensor {
  const char* name;
  std::vector<double> tenths;
  std::vector<std::int32_t> printed;
};
// W1, W2, b1, b2 of section 4.3.
const std::vector<Tensor>& tensors();

// q = round((x - min) / (max - min) * (qmax - qmin) + qmin); code q stands for low + (q - qmin) *
// step.
struct MinMaxCodes {
  std::vector<std::int32_t> codes;
  double low = 0, step = 0;
  double real(std::int32_t code) const;
};
inline constexpr std::int32_t kLowest = -128, kHighest = 127;

// Nothing where all values are equal: the formula divides by zero.
std::optional<MinMaxCodes> min_max_codes(std::span<const double> values);

// "if |w| < threshold then w = 0".
std::vector<double> prune(std::span<const double> values, double threshold);

// Section 4.1.3; each gives the values that the integers it ends with stand for, so that a zero
// that is none shows. The threshold of the last is compared with codes, as the document does.
std::vector<double> prune_then_quantize(std::span<const double> values, double threshold);
std::vector<double> both_at_once(std::span<const double> values, double threshold);
std::vector<double> quantize_then_prune(std::span<const double> values, double threshold);

}  // namespace pare::example
