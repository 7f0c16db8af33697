#include "compression/weight_telemetry.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <span>

#include "compression/prune/mask.h"
#include "compression/prune/ranked.h"
#include "compression/quantize/weight_quantizer.h"

namespace pare {
namespace {

using Values = std::span<const float>;

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

const Mask* mask_of(const Parameter& weight) {
  return dynamic_cast<const Mask*>(weight.find(kMask));
}

const WeightQuantizer* quantizer_of(const Parameter& weight) {
  const auto* found = dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer));
  return found && found->quantizer().ready() ? found : nullptr;
}

// What the network computes with; observers that follow the present tensor have seen it then.
Tensor computed(Parameter& weight) {
  const NoGradient no_gradient;
  const Tensor value = weight.value(Pass::begin(Pass::Mode::evaluate, 0, 0)).value();
  weight.release();
  return value;
}

// How many elements satisfy test(i).
template <class Test>
double count(std::size_t size, const Test& test) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number += test(i) ? 1 : 0;
  return static_cast<double>(number);
}

// |w - value(i)|^2 / |w|^2.
template <class Value>
double relative_error(Values w, const Value& value) {
  double power = 0, noise = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double exact = w[i], error = exact - static_cast<double>(value(i));
    power += exact * exact;
    noise += error * error;
  }
  return ratio(noise, power);
}

// Marks the `k` weights of smallest magnitude; of equal ones those that come first.
std::vector<bool> smallest(Values w, std::size_t k) {
  std::vector<std::size_t> order(w.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return std::pair(std::abs(w[a]), a) < std::pair(std::abs(w[b]), b);
                   });
  std::vector<bool> marked(w.size());
  for (std::size_t i = 0; i < k; ++i) marked[order[i]] = true;
  return marked;
}

// Codes below the k-th smallest magnitude all go; of those that tie with it, each with the chance
// that is left. Needs 0 < k < n.
double disagreement(Values w, Values codes, std::size_t k) {
  std::vector<float> sizes;
  for (const float code : codes) sizes.push_back(std::abs(code));
  std::vector<float> sorted = sizes;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k - 1),
                   sorted.end());
  const float limit = sorted[k - 1];
  const std::vector<bool> by_weight = smallest(w, k);
  const double below = count(sizes.size(), [&](std::size_t i) { return sizes[i] < limit; });
  const double tied = count(sizes.size(), [&](std::size_t i) { return sizes[i] == limit; });
  const double both =
      count(sizes.size(), [&](std::size_t i) { return by_weight[i] && sizes[i] < limit; });
  const double maybe =
      count(sizes.size(), [&](std::size_t i) { return by_weight[i] && sizes[i] == limit; });
  const auto all = static_cast<double>(k);
  return 1 - (both + maybe * (all - below) / tied) / all;
}

void measure_mask(Values w, const std::vector<std::uint8_t>& keep,
                  const std::vector<std::uint8_t>& before, WeightTelemetry& t) {
  const auto n = static_cast<double>(keep.size());
  t.masked = ratio(count(keep.size(), [&](std::size_t i) { return !keep[i]; }), n);
  t.error_prune = relative_error(w, [&](std::size_t i) { return keep[i] ? w[i] : 0.0f; });
  if (before.size() != keep.size()) return;
  t.mask_churn = ratio(count(keep.size(), [&](std::size_t i) { return keep[i] != before[i]; }), n);
}

void measure_scales(const std::vector<float>& scales, const std::vector<float>& before,
                    WeightTelemetry& t) {
  const auto channels = static_cast<double>(scales.size());
  t.scale = std::accumulate(scales.begin(), scales.end(), 0.0) / channels;
  if (before.size() != scales.size()) return;
  double octaves = 0;
  for (std::size_t c = 0; c < scales.size(); ++c)
    octaves += std::abs(std::log2(static_cast<double>(scales[c]) / before[c]));
  t.scale_drift = octaves / channels;
}

// Among the weights that are kept at both moments; without a mask a weight is kept.
double code_flips(const WeightMoment& now, const WeightMoment& before) {
  const auto kept = [](const std::vector<std::uint8_t>& keep, std::size_t i) {
    return keep.empty() || keep[i];
  };
  const std::size_t n = now.codes.size();
  const double both =
      count(n, [&](std::size_t i) { return kept(now.keep, i) && kept(before.keep, i); });
  const double flipped = count(n, [&](std::size_t i) {
    return kept(now.keep, i) && kept(before.keep, i) && now.codes[i] != before.codes[i];
  });
  return ratio(flipped, both);
}

void measure_both(Values w, Values values, Values codes, const WeightMoment& now,
                  WeightTelemetry& t) {
  const double masked = count(now.keep.size(), [&](std::size_t i) { return !now.keep[i]; });
  t.error_both = relative_error(w, [&](std::size_t i) { return values[i]; });
  if (masked == 0) return;
  const double zero_codes =
      count(now.keep.size(), [&](std::size_t i) { return !now.keep[i] && codes[i] == 0; });
  t.masked_zero_codes = zero_codes / masked;
  if (masked == static_cast<double>(w.size())) return;  // both rankings leave nothing
  t.score_disagreement = disagreement(w, codes, static_cast<std::size_t>(masked));
}

}  // namespace

bool has_telemetry(const Parameter& weight) { return mask_of(weight) || quantizer_of(weight); }

WeightTelemetry weight_telemetry(Parameter& weight, WeightMoment& moment) {
  const Tensor value = computed(weight);
  const Values w = weight.latent().values(), values = value.values();
  WeightMoment now;
  WeightTelemetry t;
  if (const Mask* mask = mask_of(weight)) {
    now.keep = mask->keep();
    measure_mask(w, now.keep, moment.keep, t);
  }
  if (const WeightQuantizer* quantizer = quantizer_of(weight)) {
    now.codes = quantizer->quantizer().codes(weight.latent());
    now.scales = quantizer->quantizer().grid().scales;
    const Tensor codes = ranked_tensor(weight, Ranked::int_code);
    const Tensor rounded = ranked_tensor(weight, Ranked::fake_quant);
    measure_scales(now.scales, moment.scales, t);
    t.rounded_to_zero = ratio(count(w.size(),
                                    [&](std::size_t i) {
                                      const bool kept = now.keep.empty() || now.keep[i];
                                      return kept && codes.values()[i] == 0;
                                    }),
                              static_cast<double>(w.size()));
    t.error_quantize = relative_error(w, [&](std::size_t i) { return rounded.values()[i]; });
    const bool same_kind = moment.keep.empty() || moment.keep.size() == now.codes.size();
    if (moment.codes.size() == now.codes.size() && same_kind)
      t.code_flips = code_flips(now, moment);
    if (!now.keep.empty()) measure_both(w, values, codes.values(), now, t);
  }
  moment = std::move(now);
  return t;
}

}  // namespace pare
