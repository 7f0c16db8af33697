#include "apps/lib/example/formulas.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "framework/base/error.h"

namespace pare::example {
namespace {

// The codes of values that are not all equal.
MinMaxCodes codes_of(std::span<const double> values) {
  const std::optional<MinMaxCodes> codes = min_max_codes(values);
  PARE_ENSURE(codes.has_value());
  return *codes;
}

std::vector<double> reals(const MinMaxCodes& codes) {
  std::vector<double> values;
  for (const std::int32_t code : codes.codes) values.push_back(codes.real(code));
  return values;
}

}  // namespace

const std::vector<Tensor>& tensors() {
  static const std::vector<Tensor> all = {{"W1", {2, 5, 3, 1}, {-128, 63, 63, -127}},
                                          {"W2", {4, 6}, {-128, -128}},
                                          {"b1", {1, 2}, {-128, -127}},
                                          {"b2", {5}, {-128}}};
  return all;
}

double MinMaxCodes::real(std::int32_t code) const { return low + (code - kLowest) * step; }

std::optional<MinMaxCodes> min_max_codes(std::span<const double> values) {
  const auto [low, high] = std::ranges::minmax(values);
  if (low == high) return std::nullopt;
  const double span = kHighest - kLowest;
  MinMaxCodes result{.codes = {}, .low = low, .step = (high - low) / span};
  for (const double x : values) {
    const double q = std::round((x - low) / (high - low) * span + kLowest);
    result.codes.push_back(static_cast<std::int32_t>(q));
  }
  return result;
}

std::vector<double> prune(std::span<const double> values, double threshold) {
  std::vector<double> kept(values.begin(), values.end());
  std::ranges::replace_if(
      kept, [&](double w) { return std::abs(w) < threshold; }, 0.0);
  return kept;
}

std::vector<double> prune_then_quantize(std::span<const double> values, double threshold) {
  return reals(codes_of(prune(values, threshold)));
}

std::vector<double> both_at_once(std::span<const double> values, double threshold) {
  MinMaxCodes codes = codes_of(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::abs(values[i]) < threshold) codes.codes[i] = 0;
  }
  return reals(codes);
}

std::vector<double> quantize_then_prune(std::span<const double> values, double threshold) {
  MinMaxCodes codes = codes_of(values);
  for (std::int32_t& q : codes.codes) {
    if (std::abs(q) < threshold) q = 0;
  }
  return reals(codes);
}

}  // namespace pare::example
