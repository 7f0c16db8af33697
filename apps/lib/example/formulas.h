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
// tenths (0.2 is 2), so that ties of the rounding are exact.
struct Tensor {
  const char* name;
  std::vector<double> tenths;
  std::vector<std::int32_t> printed;
};
// W1, W2, b1, b2 of section 4.3.
const std::vector<Tensor>& tensors();

// q = round((x - min) / (max - min) * (qmax - qmin) + qmin); code q stands for low + (q - qmin) *
// step, in tenths.
struct MinMaxCodes {
  std::vector<std::int32_t> codes;
  double low = 0, step = 0;
  // What the codes stand for.
  std::vector<double> reals() const;
};
inline constexpr std::int32_t kLowest = -128, kHighest = 127;

// Nothing where all values are equal: the formula divides by zero.
std::optional<MinMaxCodes> min_max_codes(std::span<const double> tenths);

// "if |w| < threshold then w = 0". Thresholds are real numbers here and below, 0.1 is 0.1.
std::vector<double> prune(std::span<const double> tenths, double threshold);

// Section 4.1.3; each gives the integers that it ends with, among which a zero that is none may be.
// Nothing where the formula divides by zero. The threshold of the last is compared with codes, as
// the document does.
std::optional<MinMaxCodes> prune_then_quantize(std::span<const double> tenths, double threshold);
std::optional<MinMaxCodes> both_at_once(std::span<const double> tenths, double threshold);
std::optional<MinMaxCodes> quantize_then_prune(std::span<const double> tenths, double threshold);

}  // namespace pare::example
