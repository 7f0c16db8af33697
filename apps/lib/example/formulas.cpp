#include "apps/lib/example/formulas.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace pare::example {
namespace {

constexpr double kTenths = 10;

}  // namespace

const std::vector<Tensor>& tensors() {
  static const std::vector<Tensor> all = {{"W1", {2, 5, 3, 1}, {-128, 63, 63, -127}},
                                          {"W2", {4, 6}, {-128, -128}},
                                          {"b1", {1, 2}, {-128, -127}},
                                          {"b2", {5}, {-128}}};
  return all;
}

std::vector<double> MinMaxCodes::reals() const {
  std::vector<double> values;
  for (const std::int32_t code : codes) values.push_back(low + (code - kLowest) * step);
  return values;
}

std::optional<MinMaxCodes> min_max_codes(std::span<const double> tenths) {
  const auto [low, high] = std::ranges::minmax(tenths);
  if (low == high) return std::nullopt;
  const double span = kHighest - kLowest;
  MinMaxCodes result{.codes = {}, .low = low, .step = (high - low) / span};
  for (const double x : tenths) {
    const double q = std::round((x - low) / (high - low) * span + kLowest);
    result.codes.push_back(static_cast<std::int32_t>(q));
  }
  return result;
}

std::vector<double> prune(std::span<const double> tenths, double threshold) {
  std::vector<double> kept(tenths.begin(), tenths.end());
  std::ranges::replace_if(
      kept, [&](double w) { return std::abs(w) < threshold * kTenths; }, 0.0);
  return kept;
}

std::optional<MinMaxCodes> prune_then_quantize(std::span<const double> tenths, double threshold) {
  return min_max_codes(prune(tenths, threshold));
}

std::optional<MinMaxCodes> both_at_once(std::span<const double> tenths, double threshold) {
  std::optional<MinMaxCodes> codes = min_max_codes(tenths);
  if (!codes) return codes;
  const std::vector<double> kept = prune(tenths, threshold);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == 0) codes->codes[i] = 0;
  }
  return codes;
}

std::optional<MinMaxCodes> quantize_then_prune(std::span<const double> tenths, double threshold) {
  std::optional<MinMaxCodes> codes = min_max_codes(tenths);
  if (!codes) return codes;
  for (std::int32_t& q : codes->codes) {
    if (std::abs(q) < threshold) q = 0;
  }
  return codes;
}

}  // namespace pare::example
