// What a mask and a quantizer do to one weight tensor, and to each other, in numbers.
//
// With w the latent weights (n of them), m the mask, q the quantizer with the grid that it has now,
// c the codes of w on it (masked weights too), s its scales, and ' for the call before:
//
//   masked              |{m = 0}| / n
//   mask_churn          |{m != m'}| / n
//   rounded_to_zero     |{m = 1, q(w) = 0}| / n
//   masked_zero_codes   |{m = 0, q(w) = 0}| / |{m = 0}|: what rounding would have pruned as well
//   code_flips          |{c != c'}| among the weights that are kept now and were, as a fraction of
//                       them (Helwegen et al. 2019, "Latent weights do not exist", count signs so)
//   scale, scale_drift  mean of s over the channels; mean of |log2(s / s')|
//   score_disagreement  of the |{m = 0}| weights with the smallest |w|, the expected fraction that
//                       a ranking by |c| with ties at random leaves (0: both rankings prune alike)
//   error_prune         |w - mw|^2 / |w|^2
//   error_quantize      |w - q(w)|^2 / |w|^2, without the mask, on the same grid
//   error_both          |w - v|^2 / |w|^2 for the value v that the network computes with
//
// Both together cost less than the sum of the two (which a masked weight pays twice) as long as the
// grid is the same: error_prune + error_quantize - error_both = |(1 - m)(w - q(w))|^2 / |w|^2. A
// grid that follows the mask changes that; Harma et al. 2025 (arXiv:2405.20935) bound it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compression/quantize/grid.h"
#include "framework/parameter.h"

namespace pare {

// What the next call compares with.
struct WeightMoment {
  std::vector<std::uint8_t> keep = {};  // empty: no mask
  GridCodes codes = {};                 // empty: no quantizer
  std::vector<float> scales = {};
};

// Values are missing where there is no mask, no quantizer, nothing masked, or nothing to compare
// with (the first call, another shape or number of channels).
struct WeightTelemetry {
  std::optional<double> masked = {}, mask_churn = {};
  std::optional<double> rounded_to_zero = {}, masked_zero_codes = {}, code_flips = {};
  std::optional<double> scale = {}, scale_drift = {};
  std::optional<double> score_disagreement = {};
  std::optional<double> error_prune = {}, error_quantize = {}, error_both = {};
};

// True where there is something to measure: a mask, or a quantizer that has a grid.
bool has_telemetry(const Parameter& weight);

// Measures the weight between two updates and leaves the present in `moment`, which holds the past
// (empty in the first call). Needs has_telemetry(). Changes no number that training sees.
WeightTelemetry weight_telemetry(Parameter& weight, WeightMoment& moment);

}  // namespace pare
